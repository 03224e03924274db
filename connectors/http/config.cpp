#include "connectors/http/config.hpp"

#include "connectors/http/endpoint.hpp"
#include "connectors/sdk/ascii.hpp"

#include <algorithm>

namespace millrace::http {
namespace {

using namespace std::chrono_literals;

constexpr const char* server_doc = "A server of protocol http; default: the only one";

void read_methods(sdk::ConfigReader& in, std::vector<std::string>& out) {
  in.required("method|methods", out, "Methods that it takes: POST, or [GET, DELETE]");
  for (auto& method : out) {
    method = sdk::upper(method);
    const bool fits = !method.empty() && std::ranges::all_of(method, [](char c) {
      return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    });
    in.check(fits && method != "CONNECT", in.has("methods") ? "methods" : "method",
             "names of methods, as GET, POST, PUT, PATCH, DELETE");
  }
}

void read_path(sdk::ConfigReader& in, ReceiveConfig& out) {
  in.refuse_secret("path");
  in.required("path", out.path, "Path of the route; {name} stands for one segment: /orders/{id}");
  if (in.is_describing() || !in.has("path"))
    return;
  auto own = parse_path(out.path);
  if (!own) {
    in.error("path", own.error().message(), own.error().hint());
    return;
  }
  auto pattern = parse_path((out.server ? out.server->base_path : std::string{}) + out.path);
  if (pattern)
    out.pattern = std::move(*pattern);
  // Two pipelines cannot have the same request.
  if (!out.server || !pattern)
    return;
  for (const auto& method : out.methods) {
    if (const auto other = out.server->endpoint->declare(method, out.pattern, in.place_of("path")))
      in.error("path", method + " " + shape_of(out.pattern) + " is taken already",
               "by " + other->to_string());
  }
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
  });
}

void read_config(sdk::ConfigReader& in, ReceiveConfig& out) {
  out.server = in.server<HttpServer>("http", server_doc);
  if (out.server && out.server->is_tls && out.server->tls.certificate.empty())
    in.error("server", "a server of https needs 'tls' with 'certificate' and 'key' to listen");
  const auto is_oauth2 = [](const auto& scheme) { return scheme.type == sdk::SchemeType::oauth2; };
  if (out.server && std::ranges::any_of(out.server->schemes, is_oauth2))
    in.error("server", "a scheme of type oauth2 is for 'request'",
             "clients of 'receive' show a bearer token, an API key, or a user and a password");
  read_methods(in, out.methods);
  read_path(in, out);
  in.choice<BodyFormat>("format", out.format,
                        {{"json", BodyFormat::json},
                         {"text", BodyFormat::text},
                         {"form", BodyFormat::form},
                         {"bytes", BodyFormat::bytes}},
                        "What a body holds; another Content-Type is answered 415");
  in.optional("maxBody|max_body", out.max_body, "Largest body; a larger one is answered 413");
  in.check(out.max_body.bytes <= 1024UL * 1024UL * 1024UL, "maxBody", "1GiB or less");
  in.optional("timeout", out.timeout, "How long the answer may take; then it is 504");
  in.check(out.timeout > 0ms, "timeout", "longer than 0ms");
  in.raw("transaction", "text",
         "A database server: the request's steps from the first database step on run in one "
         "transaction, which is committed before a 2xx or 3xx is sent and rolled back otherwise");
  in.optional("maxRequests|max_requests", out.max_requests,
              "Requests under way at the same time; more are answered 503 with Retry-After");
  in.check(out.max_requests > 0, "maxRequests", "1 or more");
}

void read_config(sdk::ConfigReader& in, RespondConfig& out) {
  in.optional("status", out.status, "Number of the status; default: 200");
  in.expressions("headers", out.headers, "Headers of the answer, by name; a list sends several");
  for (const auto& [name, value] : out.headers)
    in.check(is_token(name), "headers", "a mapping whose names are names of headers");
  in.optional("body", out.body, "What to answer; default: the last output");
  in.choice<BodyFormat>(
    "format", out.format,
    {{"json", BodyFormat::json}, {"text", BodyFormat::text}, {"bytes", BodyFormat::bytes}},
    "How the body is written, unless a header says its content-type");
}

}  // namespace millrace::http
