// Client: the heart of a connector, whose two styles are thin over it: the transaction that is
// open, if any, and the pool that others may share. Thread-safe; callbacks come on the pool's
// thread.
#pragma once

#include "connectors/postgres/client/core.hpp"
#include "connectors/postgres/client/execution.hpp"
#include "connectors/postgres/client/session.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::postgres {

class Client : public std::enable_shared_from_this<Client> {
public:
  explicit Client(std::shared_ptr<ClientCore> core);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Rolls back what is open.
  ~Client();

  void connect(sdk::StatusCallback done);
  void execute(sdk::Statement statement, ManyCallback done);
  void begin(sdk::TransactionOptions options, sdk::StatusCallback done);
  void commit(sdk::StatusCallback done);
  void rollback(sdk::StatusCallback done);
  void close(sdk::StatusCallback done);
  void pool_info(std::function<void(PoolInfo)> done);

  /// Another one with a transaction of its own, over the same pool.
  std::shared_ptr<Client> session() const { return std::make_shared<Client>(core_); }

  bool in_transaction() const;

  /// The transaction that is open, or null.
  std::shared_ptr<const ClientSession> transaction() const;

  const std::shared_ptr<ClientCore>& core() const noexcept { return core_; }

private:
  struct Open {
    std::shared_ptr<ClientPool> pool;
    std::shared_ptr<ClientSession> session;
  };

  void end(sdk::SessionVerb verb, sdk::StatusCallback done);
  void forget(const std::shared_ptr<ClientSession>& session);
  static void drop(const Open& open);

  std::shared_ptr<ClientCore> core_;
  mutable std::mutex mutex_;
  std::optional<Open> open_;  // the transaction
};

}  // namespace millrace::postgres
