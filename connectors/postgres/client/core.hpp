// ClientCore: what the connectors of one database share: settings, the reactor's thread, the pool.
// The pool is made at the first connect and goes at close; connecting again starts afresh.
#pragma once

#include "connectors/postgres/client/pool.hpp"
#include "connectors/sdk/database_connector.hpp"
#include "connectors/sdk/log.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace millrace::postgres {

/// Thread-safe.
class ClientCore : public std::enable_shared_from_this<ClientCore> {
public:
  /// @param reactor to run on; none: a thread of its own while it is connected.
  ClientCore(std::shared_ptr<const sdk::DatabaseSettings> settings, sdk::Log& log,
             std::shared_ptr<sdk::Reactor> reactor);
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;
  ~ClientCore();

  /// Calls `done` when a connection is there, or cannot be made. Where it cannot at the first time
  /// there is no pool afterwards either.
  void connect(sdk::StatusCallback done);

  /// Calls `done` when every connection is gone, on a thread that may do as it likes.
  void close(sdk::StatusCallback done);

  /// Null: not connected.
  std::shared_ptr<ClientPool> pool() const;

  /// Whether the caller is on the thread that all of this needs.
  bool on_own_thread() const;

  const sdk::DatabaseSettings& settings() const noexcept { return *settings_; }

private:
  std::shared_ptr<const sdk::DatabaseSettings> settings_;
  sdk::Log& log_;
  std::shared_ptr<sdk::Reactor> given_;
  mutable std::mutex mutex_;
  std::shared_ptr<ClientPool> pool_;
};

/// What an operation says before `connect` and after `close`.
sdk::Error not_connected();

}  // namespace millrace::postgres
