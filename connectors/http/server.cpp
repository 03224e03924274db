#include "connectors/http/server.hpp"

#include "connectors/http/client/clients.hpp"
#include "connectors/http/endpoint.hpp"

#include <charconv>
#include <string_view>
#include <utility>

namespace millrace::http {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

bool parse_port(std::string_view text, std::uint16_t& out) {
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, out);
  return failure == std::errc{} && stop == end;
}

// "http://host:8080/base": no user, no query.
bool parse_url(std::string_view url, HttpServer& out) {
  constexpr std::string_view plain = "http://";
  constexpr std::string_view tls = "https://";
  out.is_tls = url.starts_with(tls);
  if (!out.is_tls && !url.starts_with(plain))
    return false;
  url.remove_prefix(out.is_tls ? tls.size() : plain.size());
  const auto slash = std::min(url.find('/'), url.size());
  auto authority = url.substr(0, slash);
  out.base_path = url.substr(slash);
  while (out.base_path.ends_with('/'))
    out.base_path.pop_back();
  if (out.base_path.find_first_of("?#{}") != std::string::npos
      || authority.find('@') != std::string_view::npos)
    return false;
  out.port = out.is_tls ? https_port : http_port;
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!parse_port(authority.substr(colon + 1), out.port))
      return false;
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  out.host = authority;
  return !out.host.empty() && out.host.find_first_of("[] ") == std::string::npos;
}

void read_limits(sdk::ConfigReader& in, ConnectionLimits& limits) {
  in.optional("headTimeout|head_timeout", limits.head,
              "Of `receive`: how long the head of a request may take, from its first byte");
  in.check(limits.head > 0ms, "headTimeout", "longer than 0ms");
  in.optional("bodyTimeout|body_timeout", limits.body,
              "Of `receive`: how long the body of a request may take");
  in.check(limits.body > 0ms, "bodyTimeout", "longer than 0ms");
  in.optional("idleTimeout|idle_timeout", limits.idle,
              "Of `receive`: how long a connection is kept without a request");
  in.check(limits.idle > 0ms, "idleTimeout", "longer than 0ms");
  sdk::ByteSize head{limits.head_bytes};
  in.optional("maxHead|max_head", head, "Of `receive`: largest head of a request");
  in.check(head.bytes >= 256 && head.bytes <= 1024UL * 1024UL, "maxHead", "256 bytes to 1MiB");
  limits.head_bytes = head.bytes;
  in.optional("maxConnections|max_connections", limits.connections,
              "Of `receive`: connections open at the same time; more are answered 503");
  in.check(limits.connections > 0, "maxConnections", "1 or more");
}

}  // namespace

sdk::ServerPtr read_server(sdk::ConfigReader& in, const sdk::ServerInput& input) {
  auto server = std::make_shared<HttpServer>();
  server->name = input.name;
  in.required("url", server->url,
              "Address to ask, or to listen at: http://0.0.0.0:8080, https://api.example.com/v1");
  if (!in.is_describing() && in.has("url"))
    in.check(parse_url(server->url.reveal(), *server), "url",
             "http:// or https:// with a host, without user or query",
             "for example http://0.0.0.0:8080");
  read_limits(in, server->limits);
  in.optional("compression", server->compression,
              "Of `receive`: answers of 1KiB and more go out as gzip to who takes it");
  in.optional(
    "proxy", server->proxy,
    "Of `request`: http://proxy:3128; default: as http_proxy, https_proxy and no_proxy say");
  in.optional("connectTimeout|connect_timeout", server->connect_timeout,
              "Of `request`: how long a connection may take to come about");
  in.check(server->connect_timeout > 0ms, "connectTimeout", "longer than 0ms");
  in.optional("http2", server->http2, "Of `request`: HTTP/2 over TLS where the server speaks it");
  in.optional("maxCalls|max_calls", server->max_calls,
              "Of `request`: connections to the server; more calls wait");
  in.check(server->max_calls >= 1 && server->max_calls <= 100'000, "maxCalls",
           "between 1 and 100000");
  in.section("tls", "Encryption, of a url that begins with https",
             [&](sdk::ConfigReader& nested) { read_tls(nested, server->tls); });
  in.check(in.is_describing() || server->is_tls || !in.has("tls"), "tls",
           "left out, or the url begins with https");
  const bool ok = in.finish();
  if (in.is_describing() || !ok)
    return nullptr;
  server->schemes = input.schemes;
  server->base_url = server->url.reveal();
  while (server->base_url.ends_with('/'))
    server->base_url.pop_back();
  server->clients = std::make_shared<Clients>();
  server->endpoint = std::make_shared<Endpoint>(*server);
  return server;
}

}  // namespace millrace::http
