// What `receive` and `respond` are told.
#pragma once

#include "connectors/http/routes.hpp"
#include "connectors/http/server.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/expression.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::http {

/// How a body is taken, or made.
enum class BodyFormat : std::uint8_t {
  json,
  text,   // UTF-8
  form,   // application/x-www-form-urlencoded
  bytes,  // base64 text (RFC 4648) stands for them
};

struct ReceiveConfig {
  std::shared_ptr<const HttpServer> server;  // while it is read
  std::string path;                          // as it was written, behind the server's own
  PathPattern pattern;
  std::vector<std::string> methods;
  BodyFormat format = BodyFormat::json;
  sdk::ByteSize max_body{1024UL * 1024UL};
  std::chrono::milliseconds timeout{30'000};
  std::size_t max_requests = 1000;
};

struct RespondConfig {
  sdk::ExpressionPtr status;  // null: 200
  std::vector<std::pair<std::string, sdk::ExpressionPtr>> headers;
  sdk::ExpressionPtr body;  // null: the last output
  BodyFormat format = BodyFormat::json;
};

/// A name as methods and headers have (RFC 9110, section 5.6.2).
bool is_token(std::string_view text);

void read_config(sdk::ConfigReader& in, ReceiveConfig& out);
void read_config(sdk::ConfigReader& in, RespondConfig& out);

}  // namespace millrace::http
