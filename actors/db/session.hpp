// The session actor: one transaction, pinned to one connection. Commands run one after the other;
// BEGIN travels with the first. When its holder is gone it rolls back and returns the connection.
#pragma once

#include "actors/db/protocol.hpp"
#include "actors/db/transaction_state.hpp"

#include <deque>
#include <optional>

namespace millrace::actors::db {

struct SessionSetup {
  ConnectionId id = 0;
  ConnectionActor connection;
  PoolActor pool;
  PoolServices services;
  SessionRequestPtr request;  // its options
  std::shared_ptr<SessionFate> fate = std::make_shared<SessionFate>();
};

struct SessionState {
  static const char* name;  // NOLINT(readability-identifier-naming): CAF's

  SessionSetup setup;
  TransactionState transaction;
  std::deque<SessionCommand> commands;
  std::optional<SessionCommand> running;
  std::size_t missing = 0;  // answers that are still to come
  std::optional<sdk::Error> begin_error;
  bool timeout_set = false;  // a statement changed the transaction's timeout
  bool touched = false;      // a statement may have left something behind in the connection
  bool in_doubt = false;     // nobody knows what state the connection is in
  bool resetting = false;    // the transaction has ended; the connection is made as new
  bool dropped = false;
};

SessionActor::behavior_type session(SessionActor::stateful_pointer<SessionState> self,
                                    SessionSetup setup);

}  // namespace millrace::actors::db
