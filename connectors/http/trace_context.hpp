// W3C Trace Context: which trace a request belongs to, and what is passed on.
//
//   auto trace = take_trace(headers);   // of the request, or a new one
//   trace.header() == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#pragma once

#include "connectors/http/message.hpp"

#include <string>
#include <string_view>

namespace millrace::http {

struct TraceContext {
  std::string trace_id;   // 32 hex digits
  std::string parent_id;  // 16: of who asked us; a new one where nobody did
  std::string flags{"00"};
  std::string state;  // tracestate, passed on as it came

  std::string header() const { return "00-" + trace_id + "-" + parent_id + "-" + flags; }
};

/// From `traceparent` and `tracestate`; a header that is broken counts as none.
TraceContext take_trace(const Headers& headers);

/// So many random hex digits, not all zero. For names, never for secrets.
std::string random_hex(std::size_t digits);

/// The client's `x-request-id` where it is one (up to 128 visible characters), else a new one.
std::string take_request_id(const Headers& headers);

}  // namespace millrace::http
