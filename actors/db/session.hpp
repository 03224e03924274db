// The session actor: one transaction, pinned to one connection. Commands run one after the other;
// BEGIN travels with the first. When its holder is gone, or its time is over, it rolls back and
// returns the connection.
#pragma once

#include "actors/db/protocol.hpp"
#include "connectors/sdk/transaction_state.hpp"

#include <deque>
#include <optional>
#include <string>

namespace millrace::actors::db {

struct SessionSetup {
  ConnectionId id = 0;
  ConnectionActor connection;
  WireLine line;
  PoolActor pool;
  PoolServices services;
  SessionRequestPtr request;            // its options
  std::vector<sdk::WireEntry> entries;  // make the connection fit for it
  std::shared_ptr<SessionPulse> pulse;
  std::shared_ptr<SessionFate> fate = std::make_shared<SessionFate>();
};

/// A COMMIT whose answer was lost: what became of it is asked elsewhere.
struct LostCommit {
  RequestPtr request;
  std::string transaction;  // what tells it from all others
  sdk::Error loss;
  sdk::Instant give_up_at;
};

struct SessionState {
  static const char* name;  // NOLINT(readability-identifier-naming): CAF's

  SessionSetup setup;
  sdk::TransactionState transaction;
  std::deque<SessionCommand> commands;
  std::optional<SessionCommand> running;
  std::optional<SessionCommand> ahead;  // under one Sync with `running`, which is a COMMIT
  std::string number;                   // of the transaction, where it is known
  std::size_t missing = 0;              // answers that are still to come
  std::optional<sdk::Error> begin_error;
  std::optional<sdk::Error> expired;  // its time is over: it only rolls back
  std::optional<LostCommit> lost_commit;
  std::size_t resets = 0;     // answers still to come of what makes the connection as new
  bool number_asked = false;  // behind a statement
  bool about_to_run = false;  // `SessionGo` is on its way
  bool timeout_set = false;   // a statement changed the transaction's timeout
  bool touched = false;       // something may have been left behind in the connection
  bool in_doubt = false;      // nobody knows what state the connection is in
  bool demoted = false;       // the server takes no writes any more
  bool cancelled = false;     // what runs is to end, and has been answered
  bool ending = false;        // the transaction has ended; the connection is about to go back
  bool dropped = false;
};

using SessionSelf = SessionActor::stateful_pointer<SessionState>;

SessionActor::behavior_type session(SessionSelf self, SessionSetup setup);

}  // namespace millrace::actors::db
