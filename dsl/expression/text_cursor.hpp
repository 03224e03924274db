// TextCursor: the place in an expression's text up to which it was read, and the first mistake in
// it. The readers of paths, calls and templates share it.
#pragma once

#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::dsl {

/// `column` counts bytes from 1.
struct SyntaxError {
  std::size_t column = 0;
  std::string message;
  std::string hint;       // may be empty
  bool of_syntax = true;  // else of what the text means: its column adds little

  /// "column 7: expected ']'".
  std::string to_string() const;
};

class TextCursor {
public:
  explicit TextCursor(std::string_view text) noexcept : text_{text} {}

  std::string_view text() const noexcept { return text_; }

  std::size_t position() const noexcept { return at_; }

  void move_to(std::size_t position) noexcept { at_ = position; }

  bool at_end() const noexcept { return at_ >= text_.size(); }

  /// The byte `ahead` of the place; NUL behind the end.
  char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  /// Whether `c` comes next (a NUL in the text counts, the end does not).
  bool next_is(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }

  bool take(char c) noexcept {
    if (!next_is(c))
      return false;
    ++at_;
    return true;
  }

  bool take(std::string_view word) noexcept {
    if (!text_.substr(at_).starts_with(word))
      return false;
    at_ += word.size();
    return true;
  }

  /// Space, tab, line feed, carriage return.
  void skip_blanks() noexcept {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
  }

  static bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

  /// What comes next, for messages: "'x'", "the end".
  std::string found() const;

  /// Notes the first mistake. @returns false.
  bool fail(std::size_t position, std::string message, std::string hint = {});

  bool fail(std::string message) { return fail(at_, std::move(message)); }

  /// The same for a mistake in what the text means, such as an unknown name.
  bool fail_name(std::size_t position, std::string message, std::string hint = {});

  const std::optional<SyntaxError>& error() const noexcept { return error_; }

  /// A quoted string of RFC 9535, section 2.3.1.1, at a quotation mark.
  bool string_literal(std::string& out);

  /// A number of RFC 9535, section 2.3.5.1 (`-0`, fraction, exponent), with its digits.
  bool number_literal(sdk::Value& out);

  /// An integer in the range of I-JSON (RFC 7493), without leading zeros or `-0`.
  bool integer(std::int64_t& out);

private:
  bool escape(char quote, std::string& out);
  bool hex_escape(std::size_t start, char32_t& code_unit);

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<SyntaxError> error_;
};

}  // namespace millrace::dsl
