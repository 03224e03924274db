// What of a DSN people may see. It keeps the text as it was written and replaces only the
// passwords, so that a user recognises what they wrote.
#include "connectors/sdk/dsn.hpp"
#include "connectors/sdk/dsn_text.hpp"

#include <algorithm>
#include <cctype>

namespace millrace::sdk {

namespace {

constexpr std::string_view masked = "***";

bool is_secret(std::string_view key) {
  std::string lower{key};
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.find("pass") != std::string::npos || lower.find("secret") != std::string::npos
         || lower.find("token") != std::string::npos;
}

std::string mask_uri(std::string_view text) {
  const auto start = text.find("://") + 3;
  std::string out{text.substr(0, start)};
  auto rest = text.substr(start);
  const auto question = rest.find('?');
  auto query = question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
  rest = rest.substr(0, question);
  // A slash inside an unencoded password: whatever stands before the last @ is taken for
  // credentials.
  const auto at = rest.rfind('@');
  const auto colon = rest.find(':');
  if (at != std::string_view::npos && colon < at) {
    out.append(rest.substr(0, colon + 1)).append(masked).append(rest.substr(at));
  } else {
    out.append(rest);
  }
  if (question == std::string_view::npos)
    return out;
  char separator = '?';
  for (const auto part : split_at(query, '&')) {
    const auto equals = part.find('=');
    out += separator;
    separator = '&';
    const auto key = percent_decode(part.substr(0, equals));
    if (equals != std::string_view::npos && (!key || is_secret(*key)))
      out.append(part.substr(0, equals + 1)).append(masked);
    else
      out.append(part);
  }
  return out;
}

std::string mask_keywords(const DsnParameters& parameters) {
  std::string out;
  for (const auto& [key, value] : parameters) {
    if (!out.empty())
      out += ' ';
    out.append(key).append("=");
    if (is_secret(key)) {
      out.append(masked);
    } else if (value.empty() || value.find_first_of(" '\\") != std::string::npos) {
      out += '\'';
      for (const char c : value) {
        if (c == '\'' || c == '\\')
          out += '\\';
        out += c;
      }
      out += '\'';
    } else {
      out.append(value);
    }
  }
  return out;
}

}  // namespace

std::string mask_dsn(std::string_view dsn) {
  const auto scheme_end = dsn.find("://");
  if (scheme_end != std::string_view::npos && dsn.find_first_of("= '") > scheme_end)
    return mask_uri(dsn);
  if (dsn.starts_with("sqlite:"))
    return std::string{dsn};
  const auto parameters = parse_keyword_string(dsn);
  return parameters && !parameters->empty() ? mask_keywords(*parameters) : std::string{masked};
}

}  // namespace millrace::sdk
