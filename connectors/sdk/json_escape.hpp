// Escapes in JSON strings (RFC 8259, section 7). Internal to the SDK.
#pragma once

#include <string>
#include <string_view>

namespace millrace::sdk {

/// Puts into `out` what the inside of a string literal stands for. @returns whether all its escapes
/// were valid; a lone surrogate is not.
bool unescape_json(std::string_view inside, std::string& out);

}  // namespace millrace::sdk
