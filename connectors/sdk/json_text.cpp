#include "connectors/sdk/json_text.hpp"

#include "connectors/sdk/number.hpp"
#include "connectors/sdk/utf8.hpp"
#include "connectors/sdk/value_node.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <simdjson.h>

namespace millrace::sdk {

namespace {

constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t high_bits = 0x8080808080808080;

/// From here on it pays to ask simdjson whether a text is UTF-8.
constexpr std::size_t long_text = 64;

/// Marks, by the high bit of each byte, at least the first byte below 0x20, a quote, a backslash or
/// one of `also`.
std::uint64_t specials(std::uint64_t word, std::uint64_t also) noexcept {
  const auto quote = word ^ (ones * '"');
  const auto backslash = word ^ (ones * '\\');
  return (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote)
          | ((backslash - ones) & ~backslash) | (word & also))
         & high_bits;
}

/// Up to seven bytes.
std::uint64_t load_some(const char* at, std::size_t size) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, size);
  return word;
}

/// The escape of a character that JSON does not take as it is.
std::string_view escape(char c, std::array<char, 6>& buffer) noexcept {
  switch (c) {
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  case '\b':
    return "\\b";
  case '\f':
    return "\\f";
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  default: {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto code = static_cast<unsigned char>(c);
    buffer = {'\\', 'u', '0', '0', hex[code >> 4], hex[code & 15]};
    return {buffer.data(), buffer.size()};
  }
  }
}

}  // namespace

void JsonText::put_line(std::size_t indent) {
  put('\n');
  constexpr std::string_view spaces = "                                ";
  for (; indent > spaces.size(); indent -= spaces.size())
    put(spaces);
  put(spaces.substr(0, indent));
}

void JsonText::put_number(const Value& value) {
  make_room(max_double_size);
  if (value.is_integer()) {
    at_ = std::to_chars(at_, at_ + max_double_size, value.as_integer()).ptr;
    return;
  }
  const auto real = value.as_double();
  if (std::isfinite(real))
    at_ = write_double(at_, real);
  else
    put(std::isnan(real) ? "\"NaN\"" : real > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

void JsonText::put_string(std::string_view text) {
  put('"');
  put_inside(text);
  put('"');
}

void JsonText::put_string(const Value& text) {
  if (ValueAccess::on_heap(text)) {
    put_string(ValueAccess::text(text));
    return;
  }
  const auto& words = ValueAccess::words(text);
  const auto size = words[0] >> 8 & 0xFF;
  const auto low = words[0] >> 16 | words[1] << 48;
  const auto high = words[1] >> 16;
  // The zeros behind the text look special too.
  const auto low_mask = size >= 8 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} << (8 * size));
  const auto high_mask = size > 8 ? ~(~std::uint64_t{0} << (8 * (size - 8))) : 0;
  if (((specials(low, high_bits) & low_mask) | (specials(high, high_bits) & high_mask)) != 0) {
    put_string(ValueAccess::text(text));
    return;
  }
  make_room(18);
  *at_ = '"';
  std::memcpy(at_ + 1, &low, 8);
  std::memcpy(at_ + 9, &high, 8);
  at_[size + 1] = '"';
  at_ += size + 2;
}

void JsonText::put_inside(std::string_view text) {
  auto also = high_bits;  // bytes of multi-byte characters have to be looked at
  while (!text.empty()) {
    // Words are stored before they are known to be clean: what is not is written over.
    make_room(std::min(text.size(), small) + 8);
    const auto piece = text.substr(0, small);
    std::size_t clean = 0;
    std::uint64_t found = 0;
    for (; clean + 8 <= piece.size(); clean += 8) {
      const auto word = load_some(piece.data() + clean, 8);
      std::memcpy(at_ + clean, &word, 8);
      found = specials(word, also);
      if (found != 0)
        break;
    }
    if (found == 0 && clean < piece.size()) {
      const auto rest = piece.size() - clean;
      const auto word = load_some(piece.data() + clean, rest);
      std::memcpy(at_ + clean, &word, 8);
      found = specials(word, also) & ~(~std::uint64_t{0} << (8 * rest));
      clean += found == 0 ? rest : 0;
    }
    if (found != 0)
      clean += static_cast<std::size_t>(std::countr_zero(found)) / 8;
    at_ += clean;
    text.remove_prefix(clean);
    if (found == 0)
      continue;
    if (also != 0 && static_cast<unsigned char>(text[0]) >= 0x80 && text.size() >= long_text
        && simdjson::validate_utf8(text.data(), text.size())) {
      also = 0;
      continue;
    }
    text.remove_prefix(put_special(text));
  }
}

/// Writes the character that `text` begins with, and those after it that need care too. @returns
/// the bytes it took.
std::size_t JsonText::put_special(std::string_view text) {
  std::size_t taken = 0;
  while (taken < text.size()) {
    const auto c = static_cast<unsigned char>(text[taken]);
    if (c < 0x20 || c == '"' || c == '\\') {
      std::array<char, 6> buffer{};
      put(escape(text[taken], buffer));
      ++taken;
    } else if (c < 0x80) {
      break;
    } else if (const auto length = utf8_length(text.substr(taken))) {
      put(text.substr(taken, length));
      taken += length;
    } else {
      put("\xEF\xBF\xBD");
      taken += utf8_broken_length(text.substr(taken));
    }
  }
  return taken;
}

}  // namespace millrace::sdk
