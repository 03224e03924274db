// Request: what a caller asked a pool for, from the moment it is accepted until it is answered.
// Whatever dies on the way, its last owner answers for it.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/db/statement_plan.hpp"
#include "connectors/sdk/clock.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace millrace::actors::db {

using ConnectionId = std::uint64_t;  // 0 names none

/// How a session ended; tells the requests that come too late.
class SessionFate {
public:
  void decide(sdk::Error error);
  sdk::Error error() const;

private:
  mutable std::mutex mutex_;
  std::optional<sdk::Error> error_;
};

/// Since when a session has waited for its holder's next command; written by the session, read by
/// the pool.
class SessionPulse {
public:
  void rest(sdk::Instant now) noexcept { since_ = now.time_since_epoch().count(); }

  void work() noexcept { since_ = at_work; }

  /// None: it is at work.
  std::optional<sdk::Instant> resting_since() const noexcept;

private:
  static constexpr sdk::Instant::rep at_work = std::numeric_limits<sdk::Instant::rep>::min();

  std::atomic<sdk::Instant::rep> since_{at_work};
};

/// One parameter set of one of the request's statements.
struct RequestItem {
  std::uint32_t statement = 0;
  std::uint32_t set = 0;
  std::uint8_t attempts = 0;
  bool in_flight = false;
  std::uint16_t most_together = 0;  // its group failed: goes with so many at most; 0: any number
  std::optional<sdk::Result<sdk::SqlResult>> result;
};

class Request {
public:
  using Done = std::function<void(ExecuteReply)>;

  Request(std::vector<sdk::Statement> wanted, bool all_or_nothing, Done done_callback);
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// Answers with errors where nobody did.
  ~Request();

  /// Sends the results to the caller; items without one have `missing`. Once; later calls do
  /// nothing.
  void answer(const sdk::Error& missing);
  void answer();

  /// The same error for every item.
  void refuse(const sdk::Error& error);

  std::vector<std::shared_ptr<const sdk::Statement>> statements;
  std::vector<RequestItem> items;
  bool atomic = false;                          // one group, under one sync
  bool urgent = false;                          // a health check: ahead of the others
  bool backlog = false;                         // a pipeline's: waits as long as it takes
  bool internal = false;                        // a session's own: taken also while the pool drains
  std::shared_ptr<const SessionFate> fate;      // of the session it is for; null: for the pool
  std::shared_ptr<const sdk::Statement> about;  // an inspection of this statement

  // Kept by PoolCore.
  std::uint64_t id = 0;
  sdk::Instant accepted;
  sdk::Instant deadline;  // for being taken by a connection
  PlanPtr plan;           // of its first statement
  Place place = Place::writes;
  bool open = false;                // accepted, and not answered
  ConnectionId connection = 0;      // that has items of it in flight, or 0
  std::uint32_t joined = 0;         // groups with others that hold items of it
  bool holds_key = false;           // counts among the joined ones of its order key
  std::vector<std::uint32_t> todo;  // items to send, in order
  std::size_t sent = 0;             // so many of `todo` are under way or back
  std::uint32_t in_flight = 0;
  bool retrying = false;             // waits for its retry
  std::vector<std::uint32_t> again;  // items to be sent once more
  std::chrono::milliseconds again_after{0};

private:
  Done done_;
};

using RequestPtr = std::shared_ptr<Request>;

/// Somebody waits for a connection of their own.
struct SessionRequest {
  SessionRequest() = default;
  SessionRequest(const SessionRequest&) = delete;
  SessionRequest& operator=(const SessionRequest&) = delete;
  ~SessionRequest();

  /// Once; later calls do nothing.
  void answer(sdk::Result<SessionHandle> session);

  sdk::TransactionOptions options;
  std::function<void(sdk::Result<SessionHandle>)> done;
  bool backlog = false;  // a pipeline's: waits as long as it takes

  std::uint64_t id = 0;  // kept by PoolCore
  sdk::Instant accepted;
  sdk::Instant deadline;
};

using SessionRequestPtr = std::shared_ptr<SessionRequest>;

}  // namespace millrace::actors::db
