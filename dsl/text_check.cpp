#include "dsl/text_check.hpp"

#include <cstdint>

namespace millrace::dsl {

namespace {

constexpr std::uint32_t first_surrogate = 0xD800;
constexpr std::uint32_t last_surrogate = 0xDFFF;
constexpr std::uint32_t last_code_point = 0x10FFFF;

bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

// Bytes of the UTF-8 sequence at the front; 0 where it is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t length = 0;
  std::uint32_t code = 0;
  std::uint32_t least = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    code = lead & 0x1FU;
    least = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    code = lead & 0x0FU;
    least = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    code = lead & 0x07U;
    least = 0x10000;
  }
  if (length == 0 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c & 0xC0U) != 0x80)
      return 0;
    code = (code << 6U) | (c & 0x3FU);
  }
  const bool surrogate = code >= first_surrogate && code <= last_surrogate;
  return code < least || code > last_code_point || surrogate ? 0 : length;
}

}  // namespace

std::optional<BadByte> find_bad_byte(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == 0)
      return BadByte{i, "a NUL byte"};
    if (c < 0x80) {
      if (is_control(c))
        return BadByte{i, "a control character"};
      ++i;
      continue;
    }
    const auto length = sequence_length(text.substr(i));
    if (length == 0)
      return BadByte{i, "invalid UTF-8"};
    i += length;
  }
  return std::nullopt;
}

}  // namespace millrace::dsl
