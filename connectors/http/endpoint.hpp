// Endpoint: one address at which several pipelines listen, as one reading of the files has it. The
// first source that starts opens it, the last one that stops closes it.
#pragma once

#include "connectors/http/guard.hpp"
#include "connectors/http/routes.hpp"
#include "connectors/http/server.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/worker.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace millrace::http {

class Site;

/// What the connections of an endpoint share. Thread-safe.
class Traffic {
public:
  explicit Traffic(const HttpServer& server);

  const std::string& name() const noexcept { return name_; }

  // What these three give lives as long as the traffic, also when it is renewed.
  const ConnectionLimits& limits() const noexcept { return now().limits; }

  const Guard& guard() const noexcept { return now().guard; }

  bool compression() const noexcept { return now().compression; }

  /// What another reading of the files says of the server holds for all requests from now on.
  void renew(const HttpServer& server);

  std::shared_ptr<const RouteTable> routes() const;
  void set_routes(std::shared_ptr<const RouteTable> routes);

  /// Runs `task` off the reactor: bodies that take long to decode.
  void post(sdk::Worker::Task task);

  /// Waits for those tasks; later ones run where they are posted.
  void stop_worker();

  /// No pipeline takes anything more: connections end with what they are at.
  bool draining() const noexcept { return draining_.load(std::memory_order_acquire); }

  void set_draining(bool draining) noexcept {
    draining_.store(draining, std::memory_order_release);
  }

private:
  struct Rules {
    ConnectionLimits limits;
    Guard guard;
    bool compression;
  };

  const Rules& now() const noexcept { return *now_.load(std::memory_order_acquire); }

  const std::string name_;
  std::atomic<bool> draining_{false};
  std::atomic<const Rules*> now_;
  mutable std::mutex mutex_;
  std::deque<std::unique_ptr<const Rules>> rules_;  // one a reading: few, and small
  std::shared_ptr<const RouteTable> routes_ = std::make_shared<RouteTable>();
  std::unique_ptr<sdk::Worker> worker_;  // made when it is first needed
};

/// Thread-safe.
class Endpoint {
public:
  explicit Endpoint(const HttpServer& server);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  /// While the file is loaded: who has which route. @returns where it was taken before.
  std::optional<sdk::Place> declare(const std::string& method, const PathPattern& pattern,
                                    const sdk::Place& place);

  /// While the file is loaded: its routes are answered 503 until it has joined.
  void add(const PortPtr& port);

  /// Listens. @returns an error where the address cannot be listened at.
  sdk::Status join(const PortPtr& port, sdk::Reactor& reactor, sdk::Log& log);

  /// The port takes nothing more; with the last one listening stops, and idle connections end.
  void retire(const PortPtr& port);

  /// Where it listens, for tests that ask for port 0; 0: it does not.
  std::uint16_t port() const;

private:
  const std::uint64_t number_;  // of the reading, in this process
  const HttpServer server_;     // without what refers to this

  mutable std::mutex mutex_;
  std::map<std::string, sdk::Place> declared_;
  std::vector<PortPtr> ports_;
  std::shared_ptr<Site> site_;  // null: none of them has joined yet
};

}  // namespace millrace::http
