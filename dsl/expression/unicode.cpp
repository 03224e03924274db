#include "dsl/expression/unicode.hpp"

namespace millrace::dsl {

char32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t start = at++;
  if (first < 0x80)
    return first;
  std::size_t more = 0;
  char32_t smallest = 0;
  char32_t code = 0;
  if (first >= 0xC2 && first < 0xE0) {
    more = 1, smallest = 0x80, code = first & 0x1FU;
  } else if (first >= 0xE0 && first < 0xF0) {
    more = 2, smallest = 0x800, code = first & 0x0FU;
  } else if (first >= 0xF0 && first < 0xF5) {
    more = 3, smallest = 0x10000, code = first & 0x07U;
  } else {
    return no_code_point;
  }
  if (text.size() - start <= more)
    return no_code_point;
  for (std::size_t i = 1; i <= more; ++i) {
    if ((byte(start + i) & 0xC0U) != 0x80)
      return no_code_point;
    code = code << 6U | (byte(start + i) & 0x3FU);
  }
  if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return no_code_point;
  at = start + more + 1;
  return code;
}

void append_code_point(std::string& out, char32_t code_point) {
  const auto put = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0U | code_point >> 6U);
    put(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    put(0xE0U | code_point >> 12U);
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  } else {
    put(0xF0U | code_point >> 18U);
    put(0x80U | (code_point >> 12U & 0x3FU));
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  }
}

std::size_t count_code_points(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text)
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace millrace::dsl
