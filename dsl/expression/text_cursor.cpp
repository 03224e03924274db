#include "dsl/expression/text_cursor.hpp"

#include "dsl/expression/unicode.hpp"

#include <charconv>

namespace millrace::dsl {

std::string SyntaxError::to_string() const {
  return "column " + std::to_string(column) + ": " + message;
}

bool TextCursor::fail(std::size_t position, std::string message, std::string hint) {
  if (!error_)
    error_ = SyntaxError{position + 1, std::move(message), std::move(hint)};
  return false;
}

bool TextCursor::fail_name(std::size_t position, std::string message, std::string hint) {
  if (!error_)
    error_ = SyntaxError{position + 1, std::move(message), std::move(hint), false};
  return false;
}

std::string TextCursor::found() const {
  if (at_end())
    return "the end";
  const auto byte = static_cast<unsigned char>(text_[at_]);
  if (byte < 0x20 || byte == 0x7F)
    return byte == '\n' ? "a line break" : byte == '\t' ? "a tab" : "a control character";
  std::size_t end = at_;
  if (next_code_point(text_, end) == no_code_point)
    return "a byte that is no UTF-8";
  return "'" + std::string{text_.substr(at_, end - at_)} + "'";
}

bool TextCursor::hex_escape(std::size_t start, char32_t& code_unit) {
  code_unit = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = peek();
    code_unit <<= 4U;
    if (is_digit(c))
      code_unit |= static_cast<char32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      code_unit |= static_cast<char32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      code_unit |= static_cast<char32_t>(c - 'A' + 10);
    else
      return fail(start, "\\u needs four hexadecimal digits");
    ++at_;
  }
  return true;
}

bool TextCursor::escape(char quote, std::string& out) {
  const std::size_t start = at_++;  // at the backslash
  const char c = peek();
  switch (c) {
  case 'b':
    out += '\b';
    break;
  case 'f':
    out += '\f';
    break;
  case 'n':
    out += '\n';
    break;
  case 'r':
    out += '\r';
    break;
  case 't':
    out += '\t';
    break;
  case '/':
    out += '/';
    break;
  case '\\':
    out += '\\';
    break;
  case 'u': {
    ++at_;
    char32_t unit = 0;
    if (!hex_escape(start, unit))
      return false;
    if (unit >= 0xDC00 && unit < 0xE000)
      return fail(start, "a low surrogate without the high one before it");
    if (unit >= 0xD800 && unit < 0xDC00) {
      char32_t low = 0;
      if (!take("\\u"))
        return fail(start, "a high surrogate without the low one behind it");
      if (!hex_escape(start, low))
        return false;
      if (low < 0xDC00 || low >= 0xE000)
        return fail(start, "a high surrogate without the low one behind it");
      unit = 0x10000 + ((unit - 0xD800) << 10U) + (low - 0xDC00);
    }
    append_code_point(out, unit);
    return true;
  }
  default:
    if (c != quote || at_end())
      return fail(start,
                  at_end() ? "the string is not closed" : "no such escape: \\ before " + found());
    out += c;
  }
  ++at_;
  return true;
}

bool TextCursor::string_literal(std::string& out) {
  const std::size_t start = at_;
  const char quote = text_[at_++];
  out.clear();
  for (;;) {
    if (at_end())
      return fail(start, "the string is not closed");
    const char c = text_[at_];
    if (c == quote) {
      ++at_;
      return true;
    }
    if (c == '\\') {
      if (!escape(quote, out))
        return false;
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20)
      return fail("a control character in a string; write it as an escape");
    const std::size_t from = at_;
    if (next_code_point(text_, at_) == no_code_point)
      return fail(from, "a byte that is no UTF-8");
    out.append(text_, from, at_ - from);
  }
}

bool TextCursor::integer(std::int64_t& out) {
  constexpr std::int64_t largest = (std::int64_t{1} << 53) - 1;
  const std::size_t start = at_;
  const bool negative = take('-');
  if (!is_digit(peek()))
    return fail(start, negative ? "expected a digit after '-'" : "expected an integer");
  const std::size_t digits = at_;
  while (is_digit(peek()))
    ++at_;
  if (text_[digits] == '0' && at_ - digits > 1)
    return fail(start, "an integer has no leading zeros");
  if (negative && text_[digits] == '0')
    return fail(start, "-0 is no integer here");
  const auto parsed = std::from_chars(text_.data() + start, text_.data() + at_, out);
  if (parsed.ec != std::errc{} || out > largest || out < -largest)
    return fail(start, "an integer beyond the exact range of I-JSON (2^53 - 1)");
  return true;
}

bool TextCursor::number_literal(sdk::Value& out) {
  const std::size_t start = at_;
  take('-');
  if (!is_digit(peek()))
    return fail(start, "expected a number");
  const std::size_t digits = at_;
  while (is_digit(peek()))
    ++at_;
  if (text_[digits] == '0' && at_ - digits > 1)
    return fail(start, "a number has no leading zeros");
  if (next_is('.')) {
    ++at_;
    if (!is_digit(peek()))
      return fail("expected a digit after the decimal point");
    while (is_digit(peek()))
      ++at_;
  }
  if (peek() == 'e' || peek() == 'E') {
    ++at_;
    if (peek() == '+' || peek() == '-')
      ++at_;
    if (!is_digit(peek()))
      return fail("expected a digit in the exponent");
    while (is_digit(peek()))
      ++at_;
  }
  out = sdk::Value::decimal(text_.substr(start, at_ - start));
  return true;
}

}  // namespace millrace::dsl
