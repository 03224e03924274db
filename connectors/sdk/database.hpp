// DatabaseDriver and Wire: what a database connector implements. A wire is one connection:
// statements go out in bursts, answers come back in order, and nothing is answered before the
// server has made it final. Its callers have connect, execute, …: database_connector.hpp.
//
//   auto wire = driver.make_wire(settings, loop, WireEvents{…});
//   wire->connect();
//   wire->send({{.id = 1, .statement = find, .set = 0, .sync = true}});
#pragma once

#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/set_form.hpp"
#include "connectors/sdk/statement.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {

/// How far a statement has come; decides what may be done again after a loss.
enum class StatementPhase : std::uint8_t {
  queued,    // the server has seen nothing of it
  written,   // handed to the network: the server may have run it
  complete,  // the server said it ran; its commit is not confirmed
  synced,    // final
};

/// One statement with one of its parameter sets. A group is what stands up to the next `sync`: one
/// implicit transaction, all or nothing (inside an explicit one: the first failure stops the
/// group).
struct WireEntry {
  std::uint64_t id = 0;
  std::shared_ptr<const Statement> statement;
  std::uint32_t set = 0;
  bool sync = true;
  bool flush = false;  // the server sends its result at once, ahead of the sync
  std::shared_ptr<const SetForm> form = nullptr;  // runs `members` as one statement
  std::vector<SetMember> members = {};            // with `form`: instead of `statement` and `set`

  bool skip_timeout = false;    // the connection's own limit is shorter than the statement's
  bool skip_read_only = false;  // the connection refuses writes by itself

  /// The types of this statement's parameters, as the server described them, follow as one
  /// parameter more: a list of numbers, or null where it cannot be prepared.
  std::shared_ptr<const Statement> about = nullptr;
};

/// Of an entry whose answer nobody awaits. Where it fails the connection is of no use any more.
inline constexpr std::uint64_t silent_entry = std::numeric_limits<std::uint64_t>::max() - 7;

/// What a statement gave, as the driver has it; decoded by an actor, off the reactor.
class RawResult {
public:
  virtual ~RawResult() = default;

  /// To be called once, and for the results of one wire from one thread at a time.
  virtual Result<SqlResult> decode() = 0;

  /// The same for an entry in set form: the results of its `members`, in their order.
  virtual Result<std::vector<SqlResult>> decode_members() {
    return Error{ErrorKind::internal, "it is no result of a set"};
  }

  /// What it takes in memory, roughly.
  virtual std::size_t bytes() const noexcept { return 0; }
};

/// The final answer to an entry.
struct WireAnswer {
  std::uint64_t id = 0;
  Result<std::unique_ptr<RawResult>> result;
  bool aborted =
    false;  // not at fault: another entry of its group failed, and nothing of it happened
  bool of_set = false;      // `result` has members
  bool unprepared = false;  // in set form: the server does not take the statement in that form
};

/// An entry that will have no answer, because the connection is gone.
struct UnansweredEntry {
  std::uint64_t id = 0;
  StatementPhase phase = StatementPhase::queued;
  std::shared_ptr<RawResult> result{};  // of one that is complete, where the driver has it
};

struct WireLoss {
  Error error;
  bool server_ended =
    false;  // the server said goodbye in words: what was written and not complete did not happen
  bool other_host_may_do =
    true;                 // false: the settings themselves were refused; trying on soon is no use
  bool lists_all = true;  // an entry that is neither answered nor below never reached the server
  std::vector<UnansweredEntry> unanswered;
};

/// Called on the wire's own thread; handlers must only pass the news on.
struct WireEvents {
  std::function<void()> connected;
  std::function<void(std::vector<WireAnswer>)> answered;
  std::function<void(WireLoss)> lost;  // once, last: also when `connect` fails or after `close`
};

/// Methods are thread-safe and return at once.
class Wire {
public:
  virtual ~Wire() = default;

  virtual void connect() = 0;

  /// Entries of whole groups.
  virtual void send(std::vector<WireEntry> entries) = 0;

  /// Asks the server to give up what it runs now, whatever that is: only for connections nobody
  /// shares.
  virtual void cancel() = 0;

  /// Ends the connection. Nothing but `lost` is reported afterwards.
  virtual void close() = 0;
};

/// Longest that a statement runs on a connection that others share.
inline constexpr std::chrono::milliseconds shared_statement_limit{250};

/// What a connection of a pool is used for; `DatabaseDriver::use_sql` makes it fit.
enum class ConnectionUse : std::uint8_t {
  exclusive,  // by one session or one statement at a time; as it was when it was made
  reads,      // shared; the server refuses writes
  writes,     // shared
};

/// Tells from a database's catalog what may run together with others.
class StatementInspector {
public:
  virtual ~StatementInspector() = default;

  /// What to ask about a statement with these names and operators; to be sent with
  /// `WireEntry::about`.
  virtual Statement inspection(const std::vector<std::string>& names,
                               const std::vector<std::string>& operators) const = 0;

  virtual Inspection read(const SqlResult& result) const = 0;
};

class DatabaseDriver {
public:
  virtual ~DatabaseDriver() = default;

  virtual std::string_view name() const noexcept = 0;

  /// Most connections that make sense for these settings: 1 for a database in memory.
  virtual std::uint32_t connection_limit(const DatabaseSettings& settings) const = 0;

  /// Most connections that run autocommit statements: 1 where there is one writer.
  virtual std::uint32_t lane_limit(const DatabaseSettings& settings) const = 0;

  /// Whether the last connection must be kept, because the data goes with it.
  virtual bool keeps_connection(const DatabaseSettings& settings) const = 0;

  /// Most transactions at a time that may write: 1 where there is one writer.
  virtual std::uint32_t writing_session_limit(const DatabaseSettings&) const {
    return std::numeric_limits<std::uint32_t>::max();
  }

  virtual std::string begin_sql(const TransactionOptions& options) const = 0;

  /// What takes away everything that a transaction left behind in its connection; none: only
  /// closing it does.
  virtual std::vector<std::string> reset_sql(const DatabaseSettings&) const { return {}; }

  /// Gives a text in its one column that tells the open transaction from all others; NULL where it
  /// wrote nothing. Empty: there is no such thing.
  virtual std::string_view transaction_id_sql() const noexcept { return {}; }

  /// Gives what became of the transaction that $1 tells: "committed", "aborted" or "in progress";
  /// NULL where the server cannot know any more.
  virtual std::string_view transaction_outcome_sql() const noexcept { return {}; }

  /// What makes a connection fit for a use; all under one sync. None: this driver makes no
  /// difference.
  virtual std::vector<std::string> use_sql(const DatabaseSettings&, ConnectionUse) const {
    return {};
  }

  /// Null: with this driver each statement runs on its own.
  virtual const StatementInspector* inspector(const DatabaseSettings&) const { return nullptr; }

  /// What `currentdatetime()` and `currentdate()` are, written into a statement.
  virtual std::string_view current_datetime_sql() const noexcept = 0;
  virtual std::string_view current_date_sql() const noexcept = 0;

  /// The same mistake for everybody: 'settings' cannot work with this driver.
  virtual Status check(const DatabaseSettings& settings) const = 0;

  /// The wire calls `events` on `loop` or on a thread of its own, never on the caller's.
  virtual std::shared_ptr<Wire> make_wire(const DatabaseSettings& settings, EventLoop& loop,
                                          WireEvents events) const = 0;
};

}  // namespace millrace::sdk
