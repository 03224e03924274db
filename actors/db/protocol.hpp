// The messages between a pool, its connections and its sessions. All are plain sends; what is owed
// to a caller is a Request, which answers for itself when it is dropped.
#pragma once

#include "actors/caf.hpp"
#include "actors/db/clean_statements.hpp"
#include "actors/db/database_handle.hpp"
#include "actors/db/inbox.hpp"
#include "actors/db/pool_core.hpp"
#include "actors/db/request.hpp"
#include "connectors/sdk/database.hpp"
#include "connectors/sdk/session_verb.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::actors::db {

// --- to the pool
struct ExecuteSql {
  RequestPtr request;
};

/// There is something in the inbox.
struct TakeRequests {};

struct BeginTransaction {
  SessionRequestPtr request;
};

struct GetPoolInfo {
  std::function<void(PoolInfo)> done;
};

struct HealthCheck {
  std::function<void(HealthReport)> done;
};

struct Drain {
  std::function<void()> done;
};

struct Close {};

/// Where a wire's answers go: to the session that has it, else to its connection's actor.
class AnswerRoute {
public:
  /// @param session null: to the connection's actor.
  void lead_to(caf::strong_actor_ptr session);

  caf::strong_actor_ptr session() const;

private:
  mutable std::mutex mutex_;
  caf::strong_actor_ptr session_;
};

/// A wire, for the session that has it: without the way over the connection's actor.
struct WireLine {
  std::weak_ptr<sdk::Wire> wire;  // the connection's actor owns it
  std::shared_ptr<AnswerRoute> route;
};

struct ConnectionUp {
  ConnectionId id = 0;
  WireLine line;
};

struct SessionReturned {
  ConnectionId id = 0;
  bool clean = false;
  caf::actor_addr session;  // who had it; by now it may be lent to another
  bool demoted = false;     // its server takes no writes any more
};

struct PoolTick {
  std::uint64_t epoch = 0;
};

/// A connection actor is gone; comes behind everything that it had sent.
struct ReapConnection {
  ConnectionId id = 0;
};

// --- to whoever a connection works for
struct BurstAnswered {
  ConnectionId id = 0;
  std::shared_ptr<std::vector<ItemAnswer>> answers;
};

struct ConnectionGone {
  ConnectionId id = 0;
  std::shared_ptr<const sdk::WireLoss> loss;
};

// --- to a session
struct SessionCommand {
  sdk::SessionVerb verb = sdk::SessionVerb::execute;
  RequestPtr request;
};

/// Nobody holds the session any more.
struct SessionDropped {};

/// Its time is over.
struct SessionExpired {
  sdk::Error error;
};

/// Runs what has come in; behind whatever is in the mailbox.
struct SessionGo {};

/// The session wanted to look again at something.
struct SessionTick {};

/// What the server says of a COMMIT whose answer was lost.
struct CommitOutcome {
  std::shared_ptr<ExecuteReply> reply;
};

// --- to a connection
struct WireConnected {};

struct WireAnswered {
  std::shared_ptr<std::vector<sdk::WireAnswer>> answers;
};

struct WireGone {
  std::shared_ptr<const sdk::WireLoss> loss;
};

struct CloseWire {
  bool at_once = false;  // end without waiting until the server is rid of it
};

/// Owns one wire; ends with the error as its reason when the connection is lost.
using ConnectionActor = caf::typed_actor<
  // From the wire's thread.
  caf::reacts_to<WireConnected>, caf::reacts_to<WireAnswered>, caf::reacts_to<WireGone>,
  caf::reacts_to<CloseWire>>;

/// One open transaction on a connection that is its own until it ends.
using SessionActor = caf::typed_actor<
  // Runs after those before it; one at a time.
  caf::reacts_to<SessionCommand>, caf::reacts_to<SessionGo>,
  // Rolls back what is still open.
  caf::reacts_to<SessionDropped>, caf::reacts_to<SessionExpired>, caf::reacts_to<SessionTick>,
  caf::reacts_to<CommitOutcome>, caf::reacts_to<WireAnswered>, caf::reacts_to<ConnectionGone>>;

/// Owns every request until it is answered, supervises connections and sessions.
using PoolActor = caf::typed_actor<
  // Runs each parameter set on its own; `overloaded` at once when too many wait.
  caf::reacts_to<ExecuteSql>,
  // The same for all that lie in its inbox.
  caf::reacts_to<TakeRequests>,
  // Waits for a connection of its own, then answers with a session.
  caf::reacts_to<BeginTransaction>,
  // Reports load without touching the database.
  caf::reacts_to<GetPoolInfo>,
  // Asks the server, ahead of what waits, for a second at most.
  caf::reacts_to<HealthCheck>,
  // Takes nothing new, lets what was accepted end, then closes.
  caf::reacts_to<Drain>,
  // Answers what is open with errors and ends.
  caf::reacts_to<Close>, caf::reacts_to<ConnectionUp>, caf::reacts_to<BurstAnswered>,
  caf::reacts_to<ConnectionGone>, caf::reacts_to<SessionReturned>, caf::reacts_to<PoolTick>,
  caf::reacts_to<ReapConnection>>;

/// What the sessions of a pool have learnt of its server; thread-safe.
struct PoolFacts {
  enum class Answer : std::uint8_t { unknown, yes, no };

  std::atomic<Answer> numbers_transactions{Answer::unknown};  // `transaction_id_sql` works
  CleanStatements clean;
};

/// What a pool's actor needs of the world; all outlives it.
struct PoolServices {
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  const sdk::DatabaseDriver* driver = nullptr;
  std::shared_ptr<const sdk::DatabaseSettings> settings;
  sdk::Reactor* reactor = nullptr;
  sdk::Log* log = nullptr;
  const sdk::Clock* clock = nullptr;
  std::uint64_t seed = 0;
  std::shared_ptr<PoolMetrics> metrics;
  std::shared_ptr<PoolFacts> facts;
};

struct PoolLink {
  PoolActor actor;
  std::shared_ptr<Inbox> inbox;
  std::shared_ptr<PoolMetrics> metrics;
  const sdk::DatabaseDriver* driver = nullptr;
  std::shared_ptr<const sdk::DatabaseSettings> settings;
};

class SessionLink {
public:
  SessionLink(SessionActor session, std::shared_ptr<const SessionFate> fate)
    : session_{std::move(session)}, fate_{std::move(fate)} {}

  SessionLink(const SessionLink&) = delete;
  SessionLink& operator=(const SessionLink&) = delete;
  ~SessionLink();

  void send(sdk::SessionVerb verb, RequestPtr request) const;

private:
  SessionActor session_;
  std::shared_ptr<const SessionFate> fate_;
};

}  // namespace millrace::actors::db

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::ExecuteSql)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::TakeRequests)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::BeginTransaction)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::GetPoolInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::HealthCheck)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::Drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::Close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::ConnectionUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::SessionReturned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::PoolTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::ReapConnection)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::BurstAnswered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::ConnectionGone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::SessionCommand)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::SessionDropped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::SessionExpired)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::SessionGo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::SessionTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::CommitOutcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::WireConnected)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::WireAnswered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::WireGone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::CloseWire)
