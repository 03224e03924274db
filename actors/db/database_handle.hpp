// DatabaseHandle: a pool as its callers see it, without CAF. Cheap to copy, usable from any thread
// and actor.
//
//   database.execute(std::move(statement), [self](ExecuteReply reply) { … });   // called once, on
//   some thread:
//                                                                             // send yourself a
//                                                                             message there
//   database.begin({}, [](sdk::Result<SessionHandle> session) { … });
#pragma once

#include "connectors/sdk/database.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/metrics.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace millrace::actors {

/// One result per parameter set, in their order; for a batch one per set of each of its statements.
struct ExecuteReply {
  std::vector<sdk::Result<sdk::SqlResult>> results;
};

/// How the statements of one text are run.
struct StatementInfo {
  std::string sql;                        // its literals blanked out
  std::array<std::uint64_t, 3> by_way{};  // as in PoolInfo; those that worked
  std::string not_shared;                 // why it shares no Sync; empty: it does
  std::string not_in_set;                 // why its sets are not run as one statement
};

/// A connection that is lent to a session.
struct TransactionInfo {
  std::string owner;                 // pipeline and step; may be empty
  std::chrono::milliseconds age{0};  // since it was lent
  bool writes = false;               // it may write
};

struct PoolInfo {
  std::size_t checked_out = 0;   // connections lent to sessions
  std::size_t available = 0;     // connections that could take work now
  std::size_t total = 0;         // connections that are open or being opened
  std::size_t overflow = 0;      // of them, those above `size`
  std::size_t size = 0;          // the soft limit
  std::size_t waiting = 0;       // requests that no connection has taken yet
  std::size_t open = 0;          // requests that are not answered yet
  bool down = false;             // the server cannot be reached; one prober goes on trying
  std::uint64_t statements = 0;  // parameter sets answered since the start
  std::uint64_t retries = 0;
  std::uint64_t connects = 0;
  std::uint64_t losses = 0;  // connections that broke
  std::array<std::uint64_t, 3>
    by_way{};  // statements with a Sync each, under a shared one, in set form
  std::vector<StatementInfo> by_statement;    // those that ran most often, a few dozen at most
  std::vector<TransactionInfo> transactions;  // the oldest first
};

enum class HealthStatus : std::uint8_t { healthy, degraded, unhealthy };

std::string_view to_string(HealthStatus status) noexcept;

struct HealthReport {
  HealthStatus status = HealthStatus::unhealthy;
  std::string message;  // "Database connection OK"
  double latency_ms = 0;
};

namespace db {
class SessionLink;
struct PoolLink;
}  // namespace db

/// An open transaction on a connection of its own. Operations run in the order of the calls. The
/// copies share it: when the last one goes with the transaction still open, it is rolled back.
class SessionHandle {
public:
  using Done = std::function<void(sdk::Status)>;

  explicit SessionHandle(std::shared_ptr<db::SessionLink> link);

  void execute(sdk::Statement statement, std::function<void(ExecuteReply)> done) const;
  void savepoint(std::string name, Done done) const;
  void rollback_to(std::string name, Done done) const;
  void release(std::string name, Done done) const;

  /// The session ends with it, whatever comes back. Where the outcome cannot be known the error
  /// says so.
  void commit(Done done) const;
  void rollback(Done done) const;

private:
  std::shared_ptr<db::SessionLink> link_;
};

class DatabaseHandle {
public:
  DatabaseHandle() = default;
  explicit DatabaseHandle(std::shared_ptr<db::PoolLink> link);

  explicit operator bool() const noexcept { return link_ != nullptr; }

  /// The same pool for callers whose backlog is back-pressure: neither `max_waiting` nor the pool's
  /// `timeout` applies to what they ask for; a server that is down does.
  DatabaseHandle for_pipelines() const;

  /// Runs each parameter set on its own (autocommit). `done` is called exactly once, on any thread,
  /// and must not block.
  void execute(sdk::Statement statement, std::function<void(ExecuteReply)> done) const;

  /// Runs all sets of all statements in one transaction and one round trip: all or nothing. Where
  /// one fails it has its error, and the others say that they were rolled back.
  void execute_batch(std::vector<sdk::Statement> statements,
                     std::function<void(ExecuteReply)> done) const;

  /// Waits for a free connection as long as the pool's `timeout` says. BEGIN travels with the first
  /// statement.
  void begin(sdk::TransactionOptions options,
             std::function<void(sdk::Result<SessionHandle>)> done) const;

  void pool_info(std::function<void(PoolInfo)> done) const;
  void health(std::function<void(HealthReport)> done) const;

  /// Takes no new requests, lets what is under way end, then closes the connections and calls
  /// `done`.
  void drain(std::function<void()> done) const;

  /// Closes now: what is under way is answered with an error. May be called twice.
  void close() const;

  /// The pool's counters and histograms; they outlive it.
  std::shared_ptr<const sdk::MetricSource> metrics() const;

  const sdk::DatabaseSettings& settings() const noexcept;
  const sdk::DatabaseDriver& driver() const noexcept;

private:
  std::shared_ptr<db::PoolLink> link_;
  bool backlog_ = false;
};

}  // namespace millrace::actors
