// PostgresSyncConnector: PostgreSQL with blocking calls, over a pool.
//
//   PostgresSyncConnector db{{.url = "postgresql://ada@db/shop"}};
//   if (auto connected = db.connect(); !connected) return report(connected.error());
//   auto names = db.execute("SELECT name FROM customers WHERE id = ?", {7});
//   names->rowcount; names->fetch_one().find("name")->as_string(); *names->sql;
//
//   db.with_transaction([](Transaction& tx) { … });    // commits, or rolls back
#pragma once

#include "connectors/postgres/client/config.hpp"
#include "connectors/postgres/client/pool_info.hpp"
#include "connectors/postgres/client/row_stream.hpp"
#include "connectors/sdk/database_connector.hpp"
#include "connectors/sdk/database_error.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/retry.hpp"
#include "connectors/sdk/transaction.hpp"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {
class Reactor;
}

namespace millrace::postgres {

class Client;

/// The pool is made by the first `connect` and goes with `close` or the last connector over it.
/// `execute` may be called from any number of threads. A transaction belongs to the connector, so
/// threads with transactions of their own use a `session` or `with_transaction` each.
class PostgresSyncConnector final : public sdk::SyncDatabase {
public:
  /// Mistakes in the settings come back from `connect`.
  explicit PostgresSyncConnector(const ConnectionConfig& config, sdk::Log& log = sdk::silent_log());
  explicit PostgresSyncConnector(Settings settings, sdk::Log& log = sdk::silent_log(),
                                 std::shared_ptr<sdk::Reactor> reactor = nullptr);
  PostgresSyncConnector(PostgresSyncConnector&& other) noexcept;
  PostgresSyncConnector& operator=(PostgresSyncConnector&& other) noexcept;
  ~PostgresSyncConnector() override;

  sdk::Status connect() override;

  /// Placeholders are `?`, `$1`, `%s` or `:name`. Outside a transaction it commits on its own, and
  /// is tried again where that is safe.
  sdk::Result<sdk::SqlResult> execute(std::string_view sql, const sdk::Arguments& arguments = {},
                                      const sdk::StatementOptions& options = {}) override;

  /// One statement with many sets of arguments, one result each; they travel together.
  std::vector<sdk::Result<sdk::SqlResult>> execute_many(std::string_view sql,
                                                        const std::vector<sdk::Arguments>& sets,
                                                        const sdk::StatementOptions& options = {});

  /// A large result in chunks. Within a transaction it is a part of that, else it has one of its
  /// own.
  sdk::Result<RowStream> stream(std::string_view sql, const sdk::Arguments& arguments = {},
                                const StreamOptions& options = {});

  sdk::Status begin(const sdk::TransactionOptions& options = {}) override;
  sdk::Status commit() override;
  sdk::Status rollback() override;

  /// Rolls back, and ends the pool for all connectors over it.
  sdk::Status close() override;

  /// Another connector over the same pool, with a transaction of its own.
  PostgresSyncConnector session() const;

  /// Runs `fn(Transaction&)` in a session of its own: committed where it returns (a value), rolled
  /// back on any other exit.
  template <class Fn>
  auto with_transaction(Fn&& fn, const sdk::TransactionOptions& options = {}) {
    auto own = session();
    return sdk::with_transaction(own, fn, options);
  }

  /// The same, the whole of it again after a conflict or a lost connection.
  template <class Fn>
  auto retry_transaction(Fn&& fn, const sdk::TransactionOptions& options = {},
                         const sdk::RetryOptions& retries = {}) {
    auto own = session();
    return sdk::retry_transaction(own, fn, options, retries);
  }

  PoolInfo pool_info() const;

  /// Asks the server; its status and how long it took. Waits no longer than a second.
  HealthReport health_check() const;

private:
  explicit PostgresSyncConnector(std::shared_ptr<Client> client);

  std::shared_ptr<Client> client_;  // null where the settings had mistakes
  std::shared_ptr<const sdk::Error> mistakes_;
};

static_assert(sdk::SyncDatabaseConnector<PostgresSyncConnector>);

}  // namespace millrace::postgres
