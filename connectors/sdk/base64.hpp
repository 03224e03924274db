// Base64 with padding (RFC 4648, section 4): bytes as text.
//
//   to_base64("foob") == "Zm9vYg=="
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::sdk {

std::string to_base64(std::string_view bytes);

/// @returns nothing where `text` is no base64: another character, blanks among them, a length that
/// is no multiple of four, or padding that is not at the end.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace millrace::sdk
