// Site: an address that this process listens at, whatever the number of times its files were read.
// Each reading has an Endpoint of its own; the one that comes after another one at the same address
// takes over its listening socket and, route by route as its pipelines start, its requests. So a
// reload refuses nobody.
#pragma once

#include "connectors/http/routes.hpp"
#include "connectors/http/server.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace millrace::http {

class Listener;
class Traffic;

/// Thread-safe.
class Site {
public:
  explicit Site(const HttpServer& server);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  /// The one that lives at the server's address under its name, or a new one. Port 0 is never the
  /// same place twice.
  static std::shared_ptr<Site> of(const HttpServer& server);

  /// Reading number `owner` comes, with its routes; they are answered 503 until they have joined,
  /// unless an earlier reading still has them. What `server` says holds from now on.
  void enter(std::uint64_t owner, const HttpServer& server, const std::vector<PortPtr>& ports);
  void leave(std::uint64_t owner);

  /// The first one listens. @returns an error where the address cannot be listened at.
  sdk::Status join(const PortPtr& port, sdk::Reactor& reactor, sdk::Log& log);

  /// With the last one listening stops, and idle connections end.
  void retire(const PortPtr& port);

  /// 0: it does not listen.
  std::uint16_t port() const;

private:
  struct Entry {
    std::uint64_t owner = 0;
    bool joined = false;
  };

  sdk::Status listen(sdk::Reactor& reactor, sdk::Log& log);
  void stop_listening();
  void publish();

  mutable std::mutex mutex_;
  HttpServer server_;  // of the newest reading
  std::uint64_t newest_ = 0;
  std::map<PortPtr, Entry> ports_;
  std::shared_ptr<Traffic> traffic_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace millrace::http
