// The textual parts of a DSN: percent-encoding, queries, keyword strings.
#pragma once

#include <cstddef>
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

/// Where the credentials end in what follows a URI's `://`: the place of their `@`. The first one
/// before any slash, as libpq has it, or a later one of the same host: a password may hold one
/// unencoded.
std::optional<std::size_t> find_credentials_end(std::string_view rest);

/// "?a=1&b=2", or nothing.
std::string format_query(const DsnParameters& parameters);

struct DsnKeyword {
  std::string name;
  std::string value;
  std::size_t name_offset = 0;
  std::size_t value_offset = 0;
};

/// libpq's `name = 'value'` list; a backslash escapes. What was read up to a mistake stays in
/// `read`.
struct KeywordString {
  std::vector<DsnKeyword> read;
  std::string problem;  // empty: none
  std::size_t problem_offset = 0;
};

KeywordString parse_keyword_string(std::string_view text);

/// The keywords of libpq 15, or the settings of SQLite's URIs.
const std::vector<std::string_view>& postgres_keywords();
const std::vector<std::string_view>& sqlite_keywords();

}  // namespace millrace::sdk
