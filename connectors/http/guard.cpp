#include "connectors/http/guard.hpp"

#include "connectors/http/target.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/base64.hpp"

#include <algorithm>
#include <array>
#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace millrace::http {
namespace {

using sdk::KeyPlace;
using sdk::SchemeType;

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

// Takes as long wherever the texts differ, and however long they are.
bool is_same(std::string_view a, std::string_view b) {
  const auto left = digest_of(a);
  const auto right = digest_of(b);
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

// What follows "Basic " or "Bearer " in Authorization.
std::optional<std::string> credentials(const Headers& headers, std::string_view scheme) {
  const auto* text = find_header(headers, "authorization");
  if (!text || text->size() <= scheme.size() || (*text)[scheme.size()] != ' '
      || sdk::lower(std::string_view{*text}.substr(0, scheme.size())) != scheme)
    return std::nullopt;
  const auto start = text->find_first_not_of(' ', scheme.size());
  return start == std::string::npos ? std::nullopt : std::optional{text->substr(start)};
}

std::optional<std::string> cookie(const Headers& headers, std::string_view name) {
  for (const auto& [header, text] : headers) {
    if (header != "cookie")
      continue;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(';', at), text.size());
      auto pair = std::string_view{text}.substr(at, end - at);
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
        return std::string{pair.substr(name.size() + 1)};
      at = end + 1;
    }
  }
  return std::nullopt;
}

std::optional<std::string> query_field(std::string_view query, const std::string& name) {
  constexpr std::size_t most = 1000;
  const auto fields = parse_form(query, most);
  const auto* value = fields ? fields->find(name) : nullptr;
  return value && value->is_string() ? std::optional{std::string{value->as_string()}}
                                     : std::nullopt;
}

std::optional<std::string> key_of(const sdk::SecurityScheme& scheme, const Headers& headers,
                                  std::string_view query) {
  switch (scheme.key_place) {
  case KeyPlace::query:
    return query_field(query, scheme.key_name);
  case KeyPlace::cookie:
    return cookie(headers, scheme.key_name);
  case KeyPlace::header:
    break;
  }
  const auto* header = find_header(headers, sdk::lower(scheme.key_name));
  return header ? std::optional{*header} : std::nullopt;
}

bool is_basic(const sdk::SecurityScheme& scheme, const Headers& headers) {
  const auto sent = credentials(headers, "basic");
  const auto pair = sent ? sdk::from_base64(*sent) : std::nullopt;
  return pair && is_same(*pair, scheme.username.reveal() + ":" + scheme.password.current());
}

}  // namespace

std::optional<std::string> Guard::check(const Headers& headers, std::string_view query) const {
  for (const auto& scheme : schemes_) {
    if (scheme.type == SchemeType::user_password && is_basic(scheme, headers))
      return scheme.username.reveal();
    if (scheme.type == SchemeType::bearer) {
      if (const auto sent = credentials(headers, "bearer");
          sent && is_same(*sent, scheme.token.current()))
        return scheme.name;
    }
    if (scheme.type == SchemeType::api_key) {
      if (const auto sent = key_of(scheme, headers, query);
          sent && is_same(*sent, scheme.token.current()))
        return scheme.name;
    }
  }
  return std::nullopt;
}

std::vector<std::string> Guard::challenges() const {
  std::vector<std::string> all;
  for (const auto& scheme : schemes_) {
    // RFC 9110, section 11.6.1: there is one, whatever the scheme.
    const char* text = scheme.type == SchemeType::user_password
                         ? "Basic realm=\"millrace\", charset=\"UTF-8\""
                       : scheme.type == SchemeType::bearer ? "Bearer realm=\"millrace\""
                                                           : "ApiKey realm=\"millrace\"";
    if (std::ranges::find(all, text) == all.end())
      all.emplace_back(text);
  }
  return all;
}

void Guard::strip(Headers& headers) const {
  for (const auto& scheme : schemes_) {
    const bool by_key = scheme.type == SchemeType::api_key;
    if (by_key && scheme.key_place == KeyPlace::query)
      continue;
    const auto name = !by_key                                ? std::string{"authorization"}
                      : scheme.key_place == KeyPlace::cookie ? "cookie"
                                                             : sdk::lower(scheme.key_name);
    std::erase_if(headers, [&](const auto& one) { return one.first == name; });
  }
}

}  // namespace millrace::http
