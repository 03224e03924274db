// Base64 with padding (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::http {

std::string to_base64(std::string_view bytes);

/// @returns nothing where `text` is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace millrace::http
