#include "connectors/sdk/utf8.hpp"

namespace millrace::sdk {

std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const auto first = byte(0);
  if (first < 0x80)
    return text.empty() ? 0 : 1;
  if (first < 0xC2)
    return 0;
  if (first < 0xE0)
    return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    // No overlong forms, no surrogates.
    const bool allowed = !(first == 0xE0 && byte(1) < 0xA0) && !(first == 0xED && byte(1) > 0x9F);
    return allowed && continues(1) && continues(2) ? 3 : 0;
  }
  if (first > 0xF4)
    return 0;
  // No overlong forms, nothing above U+10FFFF.
  const bool allowed = !(first == 0xF0 && byte(1) < 0x90) && !(first == 0xF4 && byte(1) > 0x8F);
  return allowed && continues(1) && continues(2) && continues(3) ? 4 : 0;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

int hex4(std::string_view text) noexcept {
  if (text.size() < 4)
    return -1;
  int code = 0;
  for (const char c : text.substr(0, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9')
      code = code << 4 | (c - '0');
    else if (lower >= 'a' && lower <= 'f')
      code = code << 4 | (lower - 'a' + 10);
    else
      return -1;
  }
  return code;
}

}  // namespace millrace::sdk
