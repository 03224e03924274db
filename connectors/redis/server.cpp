#include "connectors/redis/server.hpp"

#include "connectors/redis/clients.hpp"
#include "connectors/sdk/dsn_text.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view url_rule = "redis://, rediss:// or unix:// with an address";
constexpr std::string_view url_hint = "for example redis://cache:6379/0";

template <class T>
bool parse_number(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, out);
  return failure == std::errc{} && stop == end;
}

std::string take_user(const std::string& credentials) {
  return credentials.substr(0, credentials.find(':'));
}

std::string take_password(const std::string& credentials) {
  const auto colon = credentials.find(':');
  if (colon == std::string::npos)
    return {};
  return sdk::percent_decode(std::string_view{credentials}.substr(colon + 1)).value_or("");
}

// Of the whole url, so that it follows a file which is changed.
std::string take_credentials(const std::string& url) {
  const auto start = url.find("://");
  if (start == std::string::npos)
    return {};
  const auto rest = std::string_view{url}.substr(start + 3);
  const auto end = sdk::find_credentials_end(rest);
  return end ? std::string{rest.substr(0, *end)} : std::string{};
}

std::string password_of_url(const std::string& url) {
  return take_password(take_credentials(url));
}

bool parse_authority(std::string_view authority, RedisServer& out) {
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!parse_number(authority.substr(colon + 1), out.port) || out.port == 0)
      return false;
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  out.host = authority;
  return !out.host.empty() && out.host.find_first_of("[] ?#/") == std::string::npos;
}

// "redis://user:password@host:6379/0", "rediss://…", "unix:///run/redis.sock?db=1"
bool parse_url(const sdk::Secret& secret, RedisServer& out) {
  const std::string& url = secret.reveal();
  const auto start = url.find("://");
  if (start == std::string::npos)
    return false;
  const auto scheme = url.substr(0, start);
  if (scheme != "redis" && scheme != "rediss" && scheme != "unix")
    return false;
  out.is_tls = scheme == "rediss";
  auto rest = std::string_view{url}.substr(start + 3);
  if (const auto end = sdk::find_credentials_end(rest)) {
    const auto user = sdk::percent_decode(take_user(take_credentials(url)));
    if (!user)
      return false;
    out.username = *user;
    out.password = secret.derived(&password_of_url);
    rest.remove_prefix(*end + 1);
  }
  if (scheme == "unix") {
    const auto query = std::min(rest.find('?'), rest.size());
    out.socket = rest.substr(0, query);
    rest.remove_prefix(query);
    if (!rest.empty())
      return rest.starts_with("?db=") && parse_number(rest.substr(4), out.database)
             && out.socket.starts_with('/');
    return out.socket.starts_with('/');
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto path = rest.substr(std::min(slash + 1, rest.size()));
  return parse_authority(rest.substr(0, slash), out)
         && (path.empty() || parse_number(path, out.database));
}

void read_tls(sdk::ConfigReader& in, TlsOptions& out) {
  in.optional("ca", out.ca, "File of the authorities that are trusted; default: the system's");
  in.optional("certificate|cert", out.certificate, "File of the client's certificate");
  in.optional("key", out.key, "File of the client's key");
  in.optional("keyPassword|key_password", out.key_password, "What the key is encrypted with");
  in.optional("verify", out.verify, "Check that the certificate is of the host that was asked for");
  if (!in.is_describing())
    in.check(out.certificate.empty() == out.key.empty(), out.key.empty() ? "certificate" : "key",
             "given together with the other one of 'certificate' and 'key'");
}

}  // namespace

sdk::ServerPtr read_server(sdk::ConfigReader& in, const sdk::ServerInput& input) {
  auto server = std::make_shared<RedisServer>();
  server->name = input.name;
  sdk::Secret url;
  in.required("url", url,
              "redis://user:password@host:6379/0, rediss:// for TLS, unix:///path?db=0");
  if (!in.is_describing() && in.has("url"))
    in.check(parse_url(url, *server), "url", std::string{url_rule}, std::string{url_hint});
  in.optional("clientName|client_name", server->client_name, "What CLIENT LIST shows");
  in.check(!server->client_name.empty()
             && std::ranges::all_of(server->client_name, [](char c) { return c > ' ' && c < 127; }),
           "clientName", "letters and digits without blanks");
  in.optional("connectTimeout|connect_timeout", server->connect_timeout,
              "How long a connection may take to come about");
  in.check(server->connect_timeout > 0ms, "connectTimeout", "longer than 0ms");
  in.optional("timeout", server->timeout,
              "How long a command may take, with the waits for a server that is away");
  in.check(server->timeout > 0ms, "timeout", "longer than 0ms");
  sdk::ByteSize largest{server->max_reply};
  in.optional("maxReply|max_reply", largest, "Largest reply that is read");
  in.check(largest.bytes >= 1024 && largest.bytes <= 1024UL * 1024 * 1024, "maxReply",
           "1KiB to 1GiB");
  server->max_reply = largest.bytes;
  const bool has_tls = in.section(
    "tls", "Encryption, of a url that begins with rediss",
    [&](sdk::ConfigReader& nested) { read_tls(nested, server->tls); });
  in.check(in.is_describing() || server->is_tls || !has_tls, "tls",
           "left out, or the url begins with rediss");
  const bool ok = in.finish();
  if (in.is_describing() || !ok)
    return nullptr;
  if (!input.schemes.empty()) {
    const auto& scheme = input.schemes.front();
    if (input.schemes.size() > 1) {
      input.diagnostics->error(input.schemes[1].place,
                               "Redis takes one security scheme, and '" + input.schemes[1].name
                                 + "' is a second",
                               "keep one of them");
      return nullptr;
    }
    server->username = scheme.username.reveal();
    server->password = scheme.password;
  }
  server->clients = std::make_shared<Clients>();
  return server;
}

}  // namespace millrace::redis
