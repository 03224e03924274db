#include "connectors/sdk/format/clean_utf8.hpp"

#include "connectors/sdk/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace millrace::sdk {
namespace {

// Bytes at the front that are ASCII, in steps of eight.
std::size_t ascii_prefix(std::string_view bytes) noexcept {
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= bytes.size(); at += sizeof word) {
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0)
      break;
  }
  return at;
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (true) {
    bytes.remove_prefix(ascii_prefix(bytes));
    if (bytes.empty())
      return true;
    const std::size_t length = utf8_length(bytes);
    if (length == 0)
      return false;
    bytes.remove_prefix(length);
  }
}

std::string clean_utf8(std::string_view bytes) {
  std::string clean;
  clean.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0)
      clean += "\xEF\xBF\xBD";
    else
      clean += bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

}  // namespace millrace::sdk
