// Dialer: opens one connection. It tries every host, shuffled, each with its own limit of time,
// which its addresses share, resolves names off the reactor, and hands over a connection in
// pipeline mode. libpq alone would do none of this without blocking.
#pragma once

#include "connectors/asio/resolver.hpp"
#include "connectors/postgres/handles.hpp"
#include "connectors/postgres/targets.hpp"
#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/reactor.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::postgres {

struct DialFailure {
  sdk::Error error;
  bool refused = false;  // by every server that was reached: trying again soon is no use
};

/// Lives on its loop's thread; kept alive by what it waits for.
class Dialer : public std::enable_shared_from_this<Dialer> {
public:
  /// One of the two is set.
  using Done = std::function<void(ConnectionPtr, std::optional<DialFailure>)>;

  /// Look-ups of names come back through `gate`, which is shut before `loop` goes.
  Dialer(const sdk::DatabaseSettings& settings, sdk::EventLoop& loop,
         std::shared_ptr<sdk::LoopGate> gate, Done done,
         asio::Resolver& resolver = asio::Resolver::shared());
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  ~Dialer();

  void start();

  /// Gives up; `done` is not called any more.
  void stop();

private:
  void next_target();
  void resolve();
  void resolved(const asio::ResolvedName& found);
  void next_address();
  void arm(std::chrono::steady_clock::duration limit);
  void wait_for(PostgresPollingStatusType what);
  void poll();
  boost::system::error_code reassign();
  void drop_connection();
  void address_failed(sdk::Error error);
  void target_failed(sdk::Error error);
  void succeed();
  void finish(ConnectionPtr connection, std::optional<DialFailure> failure);

  /// For messages: "db.example.com:5432".
  std::string address_of(const sdk::DatabaseHost& host) const;
  sdk::Error refusal() const;

  const sdk::DatabaseSettings settings_;
  sdk::EventLoop& loop_;
  Done done_;
  std::vector<Target> targets_;
  std::size_t target_ = 0;  // counts from 1
  std::vector<std::string> addresses_;
  std::size_t address_ = 0;
  std::chrono::steady_clock::time_point deadline_;  // of the target
  std::shared_ptr<sdk::LoopGate> gate_;
  asio::Resolver& resolver_;
  boost::asio::posix::stream_descriptor descriptor_;
  ConnectionPtr connection_;
  sdk::TimerId timer_ = 0;
  std::uint64_t epoch_ = 0;  // of the attempt: late handlers of an older one do nothing
  std::optional<sdk::Error> address_error_;
  std::vector<std::pair<std::string, sdk::Error>> failures_;
};

}  // namespace millrace::postgres
