// CallbackConnector: PostgreSQL with callbacks, over a pool; for programs without Asio. Those with
// it take PostgresAsyncConnector of asio.hpp, which adds completion tokens and coroutines.
//
//   CallbackConnector db{{.url = "postgresql://ada@db/shop"}};
//   db.async_connect([&](Status connected) { … });
//   db.async_execute("SELECT ? + ?", {1, 2}, {}, [](Result<SqlResult> sum) { … });
#pragma once

#include "connectors/postgres/client/config.hpp"
#include "connectors/postgres/client/pool_info.hpp"
#include "connectors/postgres/client/row_stream.hpp"
#include "connectors/sdk/database_connector.hpp"
#include "connectors/sdk/log.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace millrace::sdk {
class Reactor;
}

namespace millrace::postgres {

class Client;

/// Each callback is called exactly once, on the connector's thread, or on the caller's where it is
/// clear at once what comes; it must not block. What PostgresSyncConnector says of pool, sessions
/// and transactions holds here.
class CallbackConnector : public sdk::AsyncDatabase {
public:
  explicit CallbackConnector(const ConnectionConfig& config, sdk::Log& log = sdk::silent_log());
  explicit CallbackConnector(Settings settings, sdk::Log& log = sdk::silent_log(),
                             std::shared_ptr<sdk::Reactor> reactor = nullptr);
  CallbackConnector(CallbackConnector&& other) noexcept;
  CallbackConnector& operator=(CallbackConnector&& other) noexcept;
  ~CallbackConnector() override;

  void async_connect(sdk::StatusCallback done) override;
  void async_execute(std::string sql, sdk::Arguments arguments, sdk::StatementOptions options,
                     sdk::ResultCallback done) override;
  void async_execute_many(std::string sql, std::vector<sdk::Arguments> sets,
                          sdk::StatementOptions options,
                          std::function<void(std::vector<sdk::Result<sdk::SqlResult>>)> done);
  void async_begin(sdk::TransactionOptions options, sdk::StatusCallback done) override;
  void async_commit(sdk::StatusCallback done) override;
  void async_rollback(sdk::StatusCallback done) override;

  /// `done` comes on a thread of its own, when no connection and no thread is left.
  void async_close(sdk::StatusCallback done) override;

  void async_stream(std::string sql, sdk::Arguments arguments, StreamOptions options,
                    std::function<void(sdk::Result<RowStream>)> done);
  void async_pool_info(std::function<void(PoolInfo)> done);

  /// Another connector over the same pool, with a transaction of its own.
  CallbackConnector session() const;

protected:
  explicit CallbackConnector(std::shared_ptr<Client> client,
                             std::shared_ptr<const sdk::Error> mistakes);

private:
  std::shared_ptr<Client> client_;  // null where the settings had mistakes
  std::shared_ptr<const sdk::Error> mistakes_;
};

static_assert(sdk::AsyncDatabaseConnector<CallbackConnector>);

}  // namespace millrace::postgres
