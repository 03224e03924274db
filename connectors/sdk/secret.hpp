// Secret and Text: what goes to the connector that needs it, and what of it messages may show.
//
//   Text path{"in.jsonl"};                  path.shown() == "'in.jsonl'"
//   Text found{"/srv/ada/in.jsonl", true};  found.shown() == "<secret>"
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace millrace::sdk {

/// A part of a text that is a file's content, but for its last line break.
struct FilePart {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string path;
};

/// Prints as "<secret>" wherever it is formatted; only `reveal` gives the text.
class Secret {
public:
  Secret() = default;

  /// @param file whose content it is, but for its last line break; empty: none.
  explicit Secret(std::string text, const std::string& file = {}) : text_{std::move(text)} {
    if (!file.empty())
      parts_ = {{.length = text_.size(), .path = file}};
  }

  /// @param parts what of it comes from files, in the order of the text.
  Secret(std::string text, std::vector<FilePart> parts)
    : text_{std::move(text)}, parts_{std::move(parts)} {}

  /// Another secret that is taken out of this one, now and whenever its files have changed.
  /// @param take gives it; empty: it is not in there.
  Secret derived(std::string (*take)(const std::string& text)) const;

  const std::string& reveal() const noexcept { return text_; }

  /// As its files have it now, for secrets that are changed while we run; a part stays as it was
  /// where its file cannot be read, or is empty or over 1 MiB.
  std::string current() const;

  bool empty() const noexcept { return text_.empty(); }

  static const char* masked() noexcept { return "<secret>"; }

private:
  std::string text_;
  std::string whole_;  // what it was taken out of, and `parts_` are parts of; empty: itself
  std::vector<FilePart> parts_;
  std::string (*take_)(const std::string&) = nullptr;
};

/// Text that is secret where a part of it came from outside (`${ENV:…}`, `${FILE:…}`); what is made
/// from it should be too.
class Text {
public:
  Text() = default;

  explicit Text(std::string text, bool secret = false) : text_{std::move(text)}, secret_{secret} {}

  const std::string& reveal() const noexcept { return text_; }

  bool is_secret() const noexcept { return secret_; }

  bool empty() const noexcept { return text_.empty(); }

  /// For the fields of log lines: itself, or masked.
  std::string name() const { return secret_ ? Secret::masked() : text_; }

  /// For messages: in quotes, or masked.
  std::string shown() const { return secret_ ? Secret::masked() : "'" + text_ + "'"; }

  /// Another text that tells as much.
  Text derived(std::string text) const { return Text{std::move(text), secret_}; }

private:
  std::string text_;
  bool secret_ = false;
};

}  // namespace millrace::sdk
