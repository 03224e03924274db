// PoolCore: the decisions of a pool, without actors and without I/O. It owns every request until it
// is answered, and says what to do through actions that its actor carries out.
//
//   PoolCore core{limits, seed};
//   core.start(now);
//   core.submit(request, now);
//   for (auto& action : core.take_actions()) …      // open, close, send, grant
//   arm(core.next_tick());
#pragma once

#include "actors/db/batching.hpp"
#include "actors/db/clean_statements.hpp"
#include "actors/db/pool_metrics.hpp"
#include "actors/db/request.hpp"
#include "connectors/sdk/retry_policy.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace millrace::actors::db {

struct PoolLimits {
  sdk::PoolSettings pool;
  sdk::DatabaseRetry retry;
  std::uint32_t connections =
    10;                    // the hard limit, all lanes and those that are just closing together
  std::uint32_t lane = 2;  // connections that run autocommit statements
  std::uint32_t writing_sessions =
    std::numeric_limits<std::uint32_t>::max();       // at a time, that may write
  bool keeps_connection = false;                     // the data lives in the connection
  bool wants_writes = false;                         // a server that takes none is the wrong one
  std::chrono::milliseconds idle_in_transaction{0};  // of sessions that say nothing else; 0: none
  std::string server;                                // its name, for messages
  std::shared_ptr<PoolMetrics> metrics;              // null: its own
  std::shared_ptr<CleanStatements> clean;            // null: nobody asks
  bool batching = false;
  const sdk::StatementInspector* inspector = nullptr;  // null: nothing is joined
  std::array<std::vector<std::string>, 3> use_sql;     // by ConnectionUse
  std::vector<std::string> reset_sql;                  // takes away what a statement left behind
  std::chrono::milliseconds statement_timeout{0};      // the server's default for statements
};

/// What an entry gave, decoded.
struct ItemAnswer {
  std::uint64_t id = 0;  // of the WireEntry
  sdk::Result<sdk::SqlResult> result;
  bool aborted = false;
  std::vector<sdk::SqlResult> members = {};  // in set form: instead of `result`
  bool unprepared = false;
  std::size_t bytes = 0;
};

struct OpenConnection {
  ConnectionId id;
};

struct CloseConnection {
  ConnectionId id;
};

struct SendEntries {
  ConnectionId id;
  std::vector<sdk::WireEntry> entries;
};

/// The connection is the caller's until `released`.
struct GrantSession {
  ConnectionId id;
  SessionRequestPtr request;
  std::vector<sdk::WireEntry> entries;  // make the connection fit for it: go out first
  std::shared_ptr<SessionPulse> pulse;
};

/// The time of the session that has the connection is over.
struct ExpireSession {
  ConnectionId id;
  sdk::Error error;
};

/// A session is held for longer than `leak_threshold`, or came back after that was said.
struct ReportLeak {
  std::string holder;
  std::chrono::milliseconds held;
  bool returned = false;
};

/// The server says that its data are damaged: people have to look.
struct ReportDamage {
  sdk::Error error;
};

/// Something is tried again; for the log.
struct ReportRetry {
  std::string sqlstate;
  sdk::ErrorKind kind;
  std::uint32_t attempt;  // that failed
  std::chrono::milliseconds wait;
};

using PoolAction = std::variant<OpenConnection, CloseConnection, SendEntries, GrantSession,
                                ExpireSession, ReportLeak, ReportDamage, ReportRetry>;

/// The error of a statement that a server refused because it takes no writes any more: it never
/// ran, and another host may take it.
sdk::Error demoted_error(const sdk::Error& refused);

class PoolCore {
public:
  PoolCore(PoolLimits limits, std::uint64_t seed);

  void start(sdk::Instant now);
  void submit(RequestPtr request, sdk::Instant now);
  void submit(std::vector<RequestPtr> requests, sdk::Instant now);
  void submit(SessionRequestPtr request, sdk::Instant now);

  void connected(ConnectionId id, sdk::Instant now);
  void answered(ConnectionId id, std::vector<ItemAnswer> answers, sdk::Instant now);

  /// It could not be opened, broke, or was closed. What was on it goes elsewhere or is answered.
  void lost(ConnectionId id, const sdk::WireLoss& loss, sdk::Instant now);

  /// A session gives its connection back; `clean`: nothing of the session is left in it.
  void released(ConnectionId id, bool clean, sdk::Instant now);

  /// The servers we are connected to are to be left, as soon as each connection is idle: they take
  /// no writes any more.
  void leave_servers(sdk::Instant now);

  void tick(sdk::Instant now);

  /// Takes no more requests; `drained` once what was accepted is answered.
  void drain(sdk::Instant now);
  bool drained() const noexcept;

  /// Answers everything with `error` and closes all connections.
  void shut(const sdk::Error& error);

  std::vector<PoolAction> take_actions() { return std::exchange(actions_, {}); }

  /// When `tick` has something to do next; none: never.
  std::optional<sdk::Instant> next_tick() const;

  PoolInfo info() const;

  /// What is known of the statements that run most often.
  std::vector<StatementInfo> statements(sdk::Instant now) const;
  std::vector<TransactionInfo> transactions(sdk::Instant now) const;

  /// Why the server cannot be reached; none while it can.
  const std::optional<sdk::Error>& down_reason() const noexcept { return down_; }

private:
  enum class State : std::uint8_t {
    connecting,
    ready,
    checking,  // was idle for long: asked whether it is still there
    lent,
    closing
  };

  struct Member {
    RequestPtr request;
    std::uint32_t item = 0;
  };

  /// What was sent at once, and is on its way.
  struct Group {
    std::uint64_t id = 0;
    Way way = Way::each;
    WhyNot why = WhyNot::own;  // not a better way
    sdk::ConnectionUse use = sdk::ConnectionUse::exclusive;
    PlanPtr plan;  // null: of several
    std::vector<Member> members;
    std::uint32_t open = 0;  // members without an answer
    std::optional<sdk::Error> failure;
    bool unprepared = false;
    std::size_t bytes = 0;
    sdk::Instant sent;
  };

  /// Which of those who wait a connection can take.
  struct Filter {
    bool alone = false;                   // those that run on a connection of their own
    bool each = true;                     // those that are not joined
    bool joined = true;                   // those that may be
    const StatementPlan* plan = nullptr;  // only of this text
    const Request* like = nullptr;        // only what may share a group with it
  };

  struct Connection {
    State state = State::connecting;
    bool writes = false;  // lent to a session that may write
    RequestPtr partial;   // the rest of it goes out when there is room
    std::uint32_t in_flight = 0;
    sdk::ConnectionUse use = sdk::ConnectionUse::exclusive;
    bool alone = false;  // at work for one request only
    std::deque<Group> groups;
    sdk::Instant last_done;   // when the last group came back
    sdk::Instant busy_until;  // as far as costs are known
    sdk::Instant last_used;
    sdk::Instant since;  // opened, asked or lent
    std::optional<sdk::Instant> retire_at;
    bool retiring = false;  // gets no more work, and is closed once it is idle
    std::string holder;     // of one that is lent
    bool leak_told = false;
    bool listens = false;                    // held as long as its source lives: no leak
    std::optional<sdk::Instant> ends_at;     // the transaction's time is over then
    std::optional<sdk::Instant> look_again;  // whether it rests for too long
    std::chrono::milliseconds idle_limit{0};
    std::shared_ptr<SessionPulse> pulse;
  };

  struct KeyOrder {
    ConnectionId connection = 0;     // where those at work are
    std::uint32_t joined_reads = 0;  // requests in groups with others
    std::uint32_t joined_writes = 0;
    std::uint32_t requests = 0;  // in all
    std::uint32_t assigned = 0;  // at work on `connection`
    std::uint32_t retrying = 0;  // that wait for their retry
  };

  using Connections = std::map<ConnectionId, Connection>;
  using Phases = std::unordered_map<std::uint64_t, sdk::StatementPhase>;

  // pool_core.cpp: what comes in
  void enqueue(RequestPtr request, sdk::Instant now);
  void finish_round(const RequestPtr& request, sdk::Instant now);
  void finish_atomic(const RequestPtr& request);
  void fail_unsent(const RequestPtr& request, const sdk::Error& error);

  // pool_groups.cpp: what became of the groups that were sent
  void settle(Connection& connection, Group& group, ItemAnswer answer);
  void settle_item(Group& group, Member& member, sdk::Result<sdk::SqlResult> result);
  bool moves_away(const Group& group, const Member& member, const sdk::Error& error);
  void finish_groups(Connection& connection, std::vector<RequestPtr>& touched, sdk::Instant now);
  void finish_joined(Group& group);
  void take_back(Group& group);
  void recover_from(std::deque<Group> groups, RequestPtr partial, const sdk::WireLoss& loss,
                    sdk::Instant now);
  void recover(Group& group, const sdk::WireLoss& loss, const Phases& phases);
  sdk::LossVerdict judge(const Group& group, std::size_t member, const sdk::WireLoss& loss,
                         const Phases& phases) const;

  void note_retry(const sdk::Error& error, std::uint32_t attempt, std::chrono::milliseconds wait);

  // pool_queue.cpp: who waits
  std::optional<sdk::Error> refusal(bool backlog, sdk::Instant now, bool internal = false) const;
  sdk::Instant deadline_of(bool backlog, std::chrono::milliseconds limit, sdk::Instant now);
  void accept(const RequestPtr& request, sdk::Instant now);
  void accept(SessionRequestPtr request, sdk::Instant now);
  void hold(const RequestPtr& request, sdk::Instant now);
  void requeue(const RequestPtr& request, sdk::Instant now);
  void wait_for_retry(const RequestPtr& request, sdk::Instant due);
  void end_retry(const RequestPtr& request);
  void requeue_retries(sdk::Instant now);
  RequestPtr next_for(ConnectionId id, const Filter& filter);
  bool fits(const Request& request, const Filter& filter) const;
  std::deque<RequestPtr>& queue_of(const Request& request);

  std::size_t waiting() const noexcept {
    // What we ask ourselves about statements is not counted.
    const auto all = waiting_.size() + lone_.size() + held_.size();
    return all - std::min<std::size_t>(all, inspecting_);
  }

  void unassign(const RequestPtr& request);
  void leave_connection(const RequestPtr& request);
  void complete(const RequestPtr& request);
  void expire_waiting(sdk::Instant now);
  sdk::Error waited_too_long(std::chrono::milliseconds limit) const;
  std::string figures() const;
  std::deque<SessionRequestPtr>::iterator next_session();
  std::uint32_t may_write() const;
  std::size_t sessions_to_serve() const;

  // pool_dispatch.cpp: what goes where
  void balance(sdk::Instant now);
  void feed(ConnectionId id, Connection& connection);
  bool send_next(ConnectionId id, Connection& connection);
  void gather(ConnectionId id, Connection& connection, const Choice& choice, Group& group);
  void send(ConnectionId id, Connection& connection, Group group);
  sdk::WireEntry entry_of(const Group& group, std::size_t member) const;
  void prepare_use(Connection& connection, sdk::ConnectionUse use,
                   std::vector<sdk::WireEntry>& entries);
  void add_resets(std::vector<sdk::WireEntry>& entries) const;
  bool joins(const Request& request) const;
  std::size_t depth_for(const Request& request) const;
  std::uint32_t lane_limit() const;
  Connections::iterator pick_idle(sdk::ConnectionUse wanted);

  // pool_plans.cpp: what the pool knows of statements
  void place(Request& request, sdk::Instant now);
  void inspect(const PlanPtr& plan, const std::shared_ptr<const sdk::Statement>& statement,
               bool backlog, sdk::Instant now);
  bool leaves_traces(const Group& group, sdk::Instant now);
  WhyNot why_alone(const Request& request) const;
  void trace_statements(sdk::Instant now);
  void learn_traces(const StatementPlan& plan, sdk::Instant now);
  void take_inspections(sdk::Instant now);
  std::uint32_t lanes_busy() const;
  bool lane_has_room() const;
  void reserve_for_sessions();
  void serve_reserved(sdk::Instant now);
  void grant(Connections::iterator connection, std::deque<SessionRequestPtr>::iterator session,
             sdk::Instant now);

  // pool_care.cpp: whether a connection is still good, and who holds it for too long
  bool is_stale(const Connection& connection, sdk::Instant now) const;
  bool check(Connections::iterator connection, sdk::Instant now);
  void checked(ConnectionId id, bool well, sdk::Instant now);
  void expire_checks(sdk::Instant now);
  void report_leaks(sdk::Instant now);
  bool may_open() const;
  void serve_urgent(sdk::Instant now);
  void expire_urgent(sdk::Instant now);
  void lend(Connection& connection, const SessionRequest& request, sdk::Instant now);
  void expire_sessions(sdk::Instant now);
  void finish_retiring(sdk::Instant now);
  std::optional<sdk::Instant> next_care() const;
  std::uint32_t count(State state) const;

  // pool_growth.cpp: how many connections, and when the server is down
  void grow(sdk::Instant now);
  void open(sdk::Instant now);
  void drop_overflow();
  void close(ConnectionId id, Connection& connection);
  std::optional<sdk::Instant> retirement(sdk::Instant now);
  void retire(sdk::Instant now);
  void connect_failed(const sdk::WireLoss& loss, sdk::Instant now);
  void fail_waiting(const sdk::Error& error);
  std::uint32_t wanted() const;
  bool may_probe() const;
  bool is_idle(const Connection& connection) const;
  sdk::Error down_error(sdk::Instant now) const;

  static constexpr std::uint64_t check_entry = 0;  // no request has this number

  PoolLimits limits_;
  std::shared_ptr<PoolMetrics> metrics_;
  sdk::RetryPolicy retry_;
  std::mt19937_64 random_;
  Connections connections_;
  std::unordered_map<std::uint64_t, RequestPtr> open_;  // every request that is not answered
  std::deque<RequestPtr> waiting_;  // of them, those that no connection has taken
  std::vector<RequestPtr> urgent_;  // of them, those that are answered in time in any case
  std::deque<RequestPtr> lone_;     // the same, of those that want one for themselves
  std::vector<RequestPtr> held_;    // those about whose statement the catalog is being asked

  struct Inspected {
    PlanPtr plan;
    sdk::Result<sdk::SqlResult> found;
  };

  std::vector<Inspected> inspected_;
  StatementPlans plans_;
  Batching batching_;
  std::array<std::vector<std::shared_ptr<const sdk::Statement>>, 3> uses_;
  std::vector<std::shared_ptr<const sdk::Statement>> resets_;
  std::array<std::uint64_t, 3> ways_{};  // statements answered, by Way
  std::uint64_t last_group_ = 0;
  std::uint32_t inspecting_ = 0;  // questions to the catalog that are open
  std::deque<SessionRequestPtr> sessions_;
  std::multimap<sdk::Instant, RequestPtr> retries_;
  sdk::Instant next_expiry_ = sdk::Instant::max();  // nobody who waits gives up before
  std::unordered_map<std::uint64_t, KeyOrder> keys_;
  std::vector<PoolAction> actions_;

  ConnectionId last_connection_ = 0;
  ConnectionId reserved_ = 0;  // gets no more autocommit work: a session waits for it
  std::uint64_t last_request_ = 0;
  std::uint32_t failures_ = 0;  // connects that failed in a row
  bool refused_ = false;        // by the server: it does not like our settings
  sdk::Instant now_;            // when `balance` began
  std::optional<sdk::Instant> next_probe_;
  sdk::Instant last_probe_;
  std::optional<sdk::Error> down_;
  bool demoted_ = false;  // an answer said that its server takes no writes any more
  bool draining_ = false;
  bool shut_ = false;
  PoolInfo counters_;
};

}  // namespace millrace::actors::db
