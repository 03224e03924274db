// UTF-8 (RFC 3629): whether bytes are, and what to show of bytes that are not.
#pragma once

#include <string>
#include <string_view>

namespace millrace::sdk {

/// Overlong forms, surrogates and anything beyond U+10FFFF are not.
bool is_utf8(std::string_view bytes) noexcept;

/// `bytes` with each invalid sequence replaced by U+FFFD.
std::string clean_utf8(std::string_view bytes);

}  // namespace millrace::sdk
