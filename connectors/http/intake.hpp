// A request as the record that the pipeline gets: its output and its meta.
#pragma once

#include "connectors/http/config.hpp"
#include "connectors/http/message.hpp"
#include "connectors/http/trace_context.hpp"
#include "connectors/sdk/value.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace millrace::http {

/// Why a request is not taken.
struct Refusal {
  unsigned status = 400;
  std::string detail;
};

/// An object; a name that comes several times has a list.
sdk::Value headers_value(const Headers& headers);

/// Whether the body of that head is what the route takes (415).
std::optional<Refusal> check_content_type(const RequestHead& head, BodyFormat format);

/// `{params, query, headers, body}`; the body is null so far.
std::optional<sdk::Value> make_payload(const RequestHead& head, std::string_view query,
                                       sdk::Value params);

/// Reads a body into `out`; an empty one is null. @param zipped it is gzip.
std::optional<Refusal> decode_body(const ReceiveConfig& config, bool zipped, std::string_view bytes,
                                   sdk::Value& out);

/// `$.meta.<step>`: `{method, path, requestId, client, traceparent, tracestate}`.
sdk::Value make_meta(const RequestHead& head, const std::string& path,
                     const std::string& request_id, const std::string& client,
                     const TraceContext& trace);

}  // namespace millrace::http
