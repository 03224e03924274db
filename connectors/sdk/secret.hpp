// Secret and Text: what goes to the connector that needs it, and what of it messages may show.
//
//   Text path{"in.jsonl"};                  path.shown() == "'in.jsonl'"
//   Text found{"/srv/ada/in.jsonl", true};  found.shown() == "<secret>"
#pragma once

#include <string>
#include <utility>

namespace millrace::sdk {

/// Prints as "<secret>" wherever it is formatted; only `reveal` gives the text.
class Secret {
public:
  Secret() = default;

  /// @param file whose content it is, but for its last line break; empty: none.
  explicit Secret(std::string text, std::string file = {})
    : text_{std::move(text)}, file_{std::move(file)} {}

  const std::string& reveal() const noexcept { return text_; }

  /// As its file has it now, for secrets that are changed while we run; `reveal` where it has none,
  /// or it cannot be read, or is over 1 MiB.
  std::string current() const;

  bool empty() const noexcept { return text_.empty(); }

  static const char* masked() noexcept { return "<secret>"; }

private:
  std::string text_;
  std::string file_;
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
