// Transfer: one try of one call, as curl carries it out.
#pragma once

#include "connectors/http/client/call.hpp"
#include "connectors/http/client/curl_driver.hpp"
#include "connectors/http/tls.hpp"
#include "connectors/sdk/server.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace millrace::http {

/// How a server is reached; the same for all calls to it.
struct Route {
  TlsOptions tls;
  sdk::Text proxy;  // empty: as the environment says (http_proxy, no_proxy)
  std::chrono::milliseconds connect_timeout{5'000};
  bool http2 = true;
};

class Transfer {
public:
  struct Outcome {
    std::optional<CallFailure> failure;  // none: there is a reply
    std::string reason;                  // curl's words, of a failure; no secrets
    CallReply reply;
    std::string redirect;  // where a reply of 3xx points
  };

  using Done = std::function<void(Outcome)>;

  Transfer(const Route& route, const Call& call, std::chrono::milliseconds limit,
           std::size_t max_response);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  /// On the driver's loop. `done` is called once.
  void start(CurlDriver& driver, Done done);

private:
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);

  void set_tls(const Route& route);
  Outcome outcome_of(CURLcode result);

  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  std::string body_;  // what is sent
  CallReply reply_;
  const std::size_t max_response_;
  bool too_long_ = false;
  std::array<char, CURL_ERROR_SIZE> reason_{};
};

}  // namespace millrace::http
