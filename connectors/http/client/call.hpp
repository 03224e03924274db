// A request of ours to somebody else's server, and what came back.
#pragma once

#include "connectors/http/message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace millrace::http {

/// When a call is tried again, and for how long.
struct CallRules {
  std::uint32_t attempts = 3;  // in all
  std::chrono::milliseconds base{100};
  std::chrono::milliseconds cap{10'000};
  std::vector<unsigned> statuses{429, 502, 503, 504};  // that are worth another try
  bool retry_unsafe = false;  // also what may have been done already and is not idempotent
  std::chrono::milliseconds try_timeout{10'000};
  std::chrono::milliseconds timeout{30'000};  // of all tries, with their waits
  std::uint32_t redirects = 5;
  std::size_t max_response = 8UL * 1024UL * 1024UL;
};

struct Call {
  std::string method;
  std::string url;
  Headers headers;
  std::string body;
  bool has_body = false;
};

struct CallReply {
  unsigned status = 0;
  Headers headers;
  std::string body;
};

/// Why there is no reply.
enum class CallFailure : std::uint8_t {
  unreachable,  // nothing was sent
  broken,       // it may have arrived
  timeout,      // it may have arrived
  not_trusted,  // TLS says no
  too_long,     // the reply
  bad_redirect,
  cancelled,
};

}  // namespace millrace::http
