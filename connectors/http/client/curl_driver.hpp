// CurlDriver: libcurl's transfers on one loop of the reactor. curl says which sockets it waits for
// and until when; the loop calls it back.
#pragma once

#include "connectors/sdk/reactor.hpp"

#include <curl/curl.h>

#include <functional>
#include <map>
#include <memory>

namespace millrace::http {

/// All of it on the loop's thread, its end too. What is under way then is never called back.
class CurlDriver : public std::enable_shared_from_this<CurlDriver> {
public:
  using Done = std::function<void(CURLcode)>;

  /// @param connections to one host at a time; more calls wait.
  static std::shared_ptr<CurlDriver> make(sdk::EventLoop& loop, long connections);
  virtual ~CurlDriver() = default;

  /// Carries out what `easy` says, and calls `done` once, never from within.
  virtual void start(CURL* easy, Done done) = 0;

  sdk::EventLoop& loop() noexcept { return loop_; }

protected:
  explicit CurlDriver(sdk::EventLoop& loop) : loop_{loop} {}

  sdk::EventLoop& loop_;
};

}  // namespace millrace::http
