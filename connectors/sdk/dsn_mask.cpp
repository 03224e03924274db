// What of a DSN people may see. It keeps the text as it was written and replaces only the
// passwords, so that a user recognises what they wrote; where the text cannot be read, it hides
// rather too much.
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/dsn.hpp"
#include "connectors/sdk/dsn_text.hpp"

#include <algorithm>

namespace millrace::sdk {

namespace {

constexpr std::string_view masked = "***";

bool is_known(std::string_view key) {
  const auto has = [&](const auto& list) { return std::ranges::find(list, key) != list.end(); };
  return has(postgres_keywords()) || has(sqlite_keywords());
}

// A value may itself be an address, as libpq's dbname.
std::string show(std::string_view value) {
  return value.find("://") == std::string_view::npos ? std::string{value} : mask_dsn(value);
}

/// "?a=1&b=***": values of what is secret, and all of what is no setting, are hidden.
std::string mask_query(std::string_view query) {
  std::string out;
  for (const auto part : split_at(query, '&')) {
    out += out.empty() ? '?' : '&';
    const auto equals = part.find('=');
    const auto key = percent_decode(part.substr(0, equals));
    const bool known = key && (is_known(*key) || is_secret_dsn_keyword(*key) || *key == "ssl");
    if (part.empty())
      continue;
    if (equals == std::string_view::npos || !known)
      out.append(masked);
    else if (is_secret_dsn_keyword(*key))
      out.append(part.substr(0, equals + 1)).append(masked);
    else
      out.append(part.substr(0, equals + 1)).append(show(part.substr(equals + 1)));
  }
  return out;
}

/// From the first colon to `end` stands what may be a password.
std::string mask_credentials(std::string_view text, std::size_t end) {
  const auto colon = text.find(':');
  if (colon >= end)
    return std::string{text.substr(0, end)};
  return std::string{text.substr(0, colon + 1)} + std::string{masked};
}

/// Text that cannot be read: a tail is shown only where nothing in it can belong to a password.
std::string mask_broken_uri(std::string_view rest) {
  const auto at = rest.rfind('@');
  const auto question = rest.find('?');
  if (at == std::string_view::npos && rest.find(':') == std::string_view::npos)
    return std::string{rest.substr(0, question)}
           + (question == std::string_view::npos ? "" : mask_query(rest.substr(question + 1)));
  const bool clear_tail = at != std::string_view::npos && at == rest.find('@') && at < question;
  if (!clear_tail)
    return std::string{rest.substr(0, rest.find_first_of(":@?/"))} + std::string{masked};
  return mask_credentials(rest, at) + std::string{rest.substr(at, question - at)}
         + (question == std::string_view::npos ? "" : mask_query(rest.substr(question + 1)));
}

std::string mask_uri(std::string_view text) {
  const auto start = text.find("://") + 3;
  std::string out{text.substr(0, start)};
  auto rest = text.substr(start);
  if (!parse_dsn(text))
    return out + mask_broken_uri(rest);
  if (const auto end = find_credentials_end(rest)) {
    out += mask_credentials(rest, *end);
    rest.remove_prefix(*end);
  }
  const auto question = rest.find('?');
  out.append(rest.substr(0, question));
  return question == std::string_view::npos ? out : out + mask_query(rest.substr(question + 1));
}

std::string quote(std::string_view value) {
  if (!value.empty() && value.find_first_of(" \t\n\r\f\v'\\") == std::string_view::npos)
    return std::string{value};
  std::string out{'\''};
  for (const char c : value) {
    if (c == '\'' || c == '\\')
      out += '\\';
    out += c;
  }
  return out += '\'';
}

/// Up to the first word that is no keyword: it may belong to a password with a blank in it.
std::string mask_keywords(std::string_view text) {
  const auto pairs = parse_keyword_string(text);
  std::string out;
  bool cut = !pairs.problem.empty();
  for (const auto& pair : pairs.read) {
    if (!is_known(pair.name) && !is_secret_dsn_keyword(pair.name)) {
      cut = true;
      break;
    }
    out.append(out.empty() ? "" : " ").append(pair.name).append("=");
    out += is_secret_dsn_keyword(pair.name) ? std::string{masked} : quote(show(pair.value));
  }
  if (cut && !out.ends_with(masked))
    out.append(out.empty() ? "" : " ").append(masked);
  return out;
}

}  // namespace

bool is_secret_dsn_keyword(std::string_view keyword) {
  const auto name = lower(keyword);
  return std::ranges::any_of(std::initializer_list<std::string_view>{"pass", "pwd", "secret",
                                                                     "token", "credential",
                                                                     "apikey", "api_key"},
                             [&](auto part) { return name.find(part) != std::string::npos; });
}

std::string mask_dsn(std::string_view dsn) {
  const auto scheme_end = dsn.find("://");
  if (scheme_end != std::string_view::npos && dsn.find_first_of("= '@") > scheme_end)
    return mask_uri(dsn);
  if (dsn.starts_with("sqlite:")) {
    const auto question = dsn.find('?');
    std::string path{dsn.substr(0, question)};
    return question == std::string_view::npos ? path : path + mask_query(dsn.substr(question + 1));
  }
  return mask_keywords(dsn);
}

}  // namespace millrace::sdk
