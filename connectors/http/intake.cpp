#include "connectors/http/intake.hpp"

#include "connectors/http/gzip.hpp"
#include "connectors/http/target.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/base64.hpp"
#include "connectors/sdk/format/clean_utf8.hpp"
#include "connectors/sdk/json.hpp"

#include <utility>

namespace millrace::http {
namespace {

constexpr std::size_t most_fields = 1000;  // of a query or a form

std::string_view wanted_type(BodyFormat format) {
  switch (format) {
  case BodyFormat::json:
    return "application/json";
  case BodyFormat::text:
    return "text/plain";
  case BodyFormat::form:
    return "application/x-www-form-urlencoded";
  case BodyFormat::bytes:
    return "application/octet-stream";
  }
  return {};
}

bool fits(std::string_view type, BodyFormat format) {
  switch (format) {
  case BodyFormat::json:
    return type == "application/json"
           || (type.starts_with("application/") && type.ends_with("+json"));
  case BodyFormat::text:
    return type.starts_with("text/");
  case BodyFormat::form:
    return type == wanted_type(format);
  case BodyFormat::bytes:
    return true;
  }
  return false;
}

// Text is UTF-8, or ASCII, which is UTF-8 too.
bool has_other_charset(const std::string& type) {
  const auto lowered = sdk::lower(type);
  const auto at = lowered.find("charset=");
  if (at == std::string::npos)
    return false;
  auto name = essence_of(std::string_view{lowered}.substr(at + 8));
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
    name = name.substr(1, name.size() - 2);
  return name != "utf-8" && name != "utf8" && name != "us-ascii";
}

}  // namespace

sdk::Value headers_value(const Headers& headers) {
  auto all = sdk::Value::object();
  for (const auto& [name, text] : headers) {
    const sdk::Value value{sdk::is_utf8(text) ? text : sdk::clean_utf8(text)};
    const auto* before = all.find(name);
    if (!before) {
      all.set(name, value);
    } else if (before->is_array()) {
      all.mutable_member(name).push_back(value);
    } else {
      all.set(name, sdk::Value::array({*before, value}));
    }
  }
  return all;
}

std::optional<Refusal> check_content_type(const RequestHead& head, BodyFormat format) {
  const auto* type = find_header(head.headers, "content-type");
  if (!head.has_body || !type)
    return std::nullopt;
  if (!fits(essence_of(*type), format))
    return Refusal{415, "this route takes " + std::string{wanted_type(format)}};
  if (format != BodyFormat::bytes && has_other_charset(*type))
    return Refusal{415, "this route takes UTF-8"};
  return std::nullopt;
}

std::optional<sdk::Value> make_payload(const RequestHead& head, std::string_view query,
                                       sdk::Value params) {
  auto fields = query.empty() ? sdk::Value::object() : parse_form(query, most_fields);
  if (!fields)
    return std::nullopt;
  return sdk::Value::object({{"params", std::move(params)},
                             {"query", std::move(*fields)},
                             {"headers", headers_value(head.headers)},
                             {"body", sdk::Value{}}});
}

std::optional<Refusal> decode_body(const ReceiveConfig& config, bool zipped, std::string_view bytes,
                                   sdk::Value& out) {
  std::string unpacked;
  if (zipped && !bytes.empty()) {
    switch (gunzip(bytes, config.max_body.bytes, unpacked)) {
    case Inflated::too_long:
      return Refusal{413, "the unpacked body is longer than this route takes"};
    case Inflated::broken:
      return Refusal{400, "the body is no gzip"};
    case Inflated::yes:
      bytes = unpacked;
    }
  }
  if (bytes.empty())
    return std::nullopt;
  switch (config.format) {
  case BodyFormat::json: {
    auto value = sdk::parse_json(bytes);
    if (!value)
      return Refusal{400, value.error().message()};
    out = std::move(*value);
    return std::nullopt;
  }
  case BodyFormat::text:
    if (!sdk::is_utf8(bytes))
      return Refusal{400, "the body is not UTF-8"};
    out = sdk::Value{bytes};
    return std::nullopt;
  case BodyFormat::form: {
    auto fields = parse_form(bytes, most_fields);
    if (!fields)
      return Refusal{400, "the body is no form"};
    out = std::move(*fields);
    return std::nullopt;
  }
  case BodyFormat::bytes:
    out = sdk::Value{sdk::to_base64(bytes)};
    return std::nullopt;
  }
  return std::nullopt;
}

sdk::Value make_meta(const RequestHead& head, const std::string& path,
                     const std::string& request_id, const std::string& client,
                     const TraceContext& trace) {
  auto meta = sdk::Value::object({{"method", sdk::Value{head.method}},
                                  {"path", sdk::Value{path}},
                                  {"requestId", sdk::Value{request_id}},
                                  {"client", sdk::Value{client}},
                                  {"traceparent", sdk::Value{trace.header()}}});
  if (!trace.state.empty())
    meta.set("tracestate", sdk::Value{trace.state});
  return meta;
}

}  // namespace millrace::http
