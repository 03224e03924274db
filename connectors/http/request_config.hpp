// What `request` is told.
#pragma once

#include "connectors/http/client/call.hpp"
#include "connectors/http/config.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::http {

/// How a response's body is taken.
enum class ResponseFormat : std::uint8_t {
  by_type,  // as its Content-Type says: JSON, text, else base64
  json,
  text,
  bytes,
};

struct RequestConfig {
  std::shared_ptr<const HttpServer> server;
  std::string method = "GET";
  sdk::ExpressionPtr path;
  std::vector<std::pair<std::string, sdk::ExpressionPtr>> query;
  std::vector<std::pair<std::string, sdk::ExpressionPtr>> headers;
  sdk::ExpressionPtr body;  // null: none
  BodyFormat format = BodyFormat::json;
  ResponseFormat response_format = ResponseFormat::by_type;
  std::vector<std::string> accept;  // statuses that are results: "404", "4xx"
  CallRules rules;
};

void read_config(sdk::ConfigReader& in, RequestConfig& out);

/// Whether `status` is one of those, or below 400.
bool is_accepted(const std::vector<std::string>& accept, unsigned status);

}  // namespace millrace::http
