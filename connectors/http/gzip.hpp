// gzip (RFC 1952) of whole bodies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::http {

enum class Inflated : std::uint8_t { yes, broken, too_long };

/// Unpacks all members of `bytes`; stops where `out` would be longer than `most`.
Inflated gunzip(std::string_view bytes, std::size_t most, std::string& out);

std::string gzip(std::string_view text);

}  // namespace millrace::http
