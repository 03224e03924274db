#include "connectors/sdk/utf8.hpp"

namespace millrace::sdk {

namespace {

/// How long the character is that `first` begins (0: none), and the range of its second byte, which
/// excludes overlong forms, surrogates and what is above U+10FFFF.
struct Lead {
  std::size_t length;
  unsigned low = 0x80;
  unsigned high = 0xBF;
};

Lead lead(unsigned first) noexcept {
  if (first < 0x80)
    return {1};
  if (first < 0xC2 || first > 0xF4)
    return {0};
  if (first < 0xE0)
    return {2};
  if (first < 0xF0)
    return {3, first == 0xE0 ? 0xA0U : 0x80U, first == 0xED ? 0x9FU : 0xBFU};
  return {4, first == 0xF0 ? 0x90U : 0x80U, first == 0xF4 ? 0x8FU : 0xBFU};
}

/// Bytes of the character that stand as they should, from the first on.
std::size_t good_bytes(Lead lead, std::string_view text) noexcept {
  std::size_t good = 1;
  while (good < lead.length && good < text.size()) {
    const auto byte = static_cast<unsigned char>(text[good]);
    if (byte < lead.low || byte > lead.high)
      break;
    lead.low = 0x80;
    lead.high = 0xBF;
    ++good;
  }
  return good;
}

}  // namespace

std::size_t utf8_length(std::string_view text) noexcept {
  if (text.empty())
    return 0;
  const auto first = lead(static_cast<unsigned char>(text[0]));
  return good_bytes(first, text) == first.length ? first.length : 0;
}

std::size_t utf8_broken_length(std::string_view text) noexcept {
  return good_bytes(lead(static_cast<unsigned char>(text[0])), text);
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
