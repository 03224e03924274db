// The target of a request (RFC 9112, section 3.2) in its parts, and the two forms of
// `application/x-www-form-urlencoded` text: queries and bodies.
//
//   auto target = parse_target("/orders/7%2F8?page=2");
//   target->segments == {"orders", "7/8"};   target->query == "page=2"
#pragma once

#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::http {

struct Target {
  std::string path;                   // as it was sent, without the query
  std::vector<std::string> segments;  // of the path, percent-decoded
  std::string query;                  // as it was sent, without the question mark
};

/// Takes the origin form and the absolute form.
/// @returns nothing for another form, a broken escape, or text that is not UTF-8 or holds NUL.
std::optional<Target> parse_target(std::string_view target);

/// @param plus_is_space as forms have it. @returns nothing for a broken escape.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

/// For a query or a form: all but letters, digits and -._~ (RFC 3986, section 2.3).
std::string percent_encoded(std::string_view text);

/// An object of texts; a name that comes several times has a list.
/// @returns nothing for a broken escape, text that is not UTF-8, or more than `most` fields.
std::optional<sdk::Value> parse_form(std::string_view text, std::size_t most);

}  // namespace millrace::http
