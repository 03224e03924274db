// The small pieces of UTF-8 (RFC 3629) that the JSON sources share. Internal to the SDK.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::sdk {

/// Bytes of the well-formed character that `text` begins with; 0 where there is none.
std::size_t utf8_length(std::string_view text) noexcept;

/// Bytes that one U+FFFD stands for where `text` begins with no well-formed character: as many as
/// could have begun one, at least 1 (Unicode 15, section 3.9, "maximal subparts").
std::size_t utf8_broken_length(std::string_view text) noexcept;

/// Appends a code point.
void append_utf8(std::string& out, std::uint32_t code);

/// The value of the four hex digits that `text` begins with, or -1.
int hex4(std::string_view text) noexcept;

}  // namespace millrace::sdk
