// Whether bytes are text that YAML allows.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace millrace::dsl {

struct BadByte {
  std::size_t offset;
  std::string_view reason;  // "a NUL byte", "a control character", "invalid UTF-8"
};

/// The first byte that is no valid UTF-8 (RFC 3629), or a control character other than tab and line
/// ends.
std::optional<BadByte> find_bad_byte(std::string_view text) noexcept;

}  // namespace millrace::dsl
