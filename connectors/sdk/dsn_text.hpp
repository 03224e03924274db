// The textual parts of a DSN: percent-encoding, queries, keyword strings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {

using DsnParameters = std::vector<std::pair<std::string, std::string>>;

/// None where a '%' is not followed by two hexadecimal digits, or for %00.
std::optional<std::string> percent_decode(std::string_view text);

/// Encodes all but RFC 3986's unreserved characters and those in `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = {});

std::vector<std::string_view> split_at(std::string_view text, char separator);

/// "a=1&b=2", decoded; a name may repeat.
std::optional<DsnParameters> parse_query(std::string_view text);

/// "?a=1&b=2", or nothing.
std::string format_query(const DsnParameters& parameters);

/// libpq's `name = 'value'` list; a backslash escapes.
std::optional<DsnParameters> parse_keyword_string(std::string_view text);

}  // namespace millrace::sdk
