// The connection actor: a wire's side towards the pool. It decodes results, off the reactor, and
// never waits.
#pragma once

#include "actors/db/protocol.hpp"

namespace millrace::actors::db {

struct ConnectionState {
  ConnectionState() = default;
  ConnectionState(const ConnectionState&) = delete;
  ConnectionState& operator=(const ConnectionState&) = delete;
  ~ConnectionState();

  static const char* name;  // NOLINT(readability-identifier-naming): CAF's

  std::shared_ptr<sdk::Wire> wire;
  BurstClient client;  // whose statements are on the wire; null before the first
};

ConnectionActor::behavior_type connection(ConnectionActor::stateful_pointer<ConnectionState> self,
                                          ConnectionId id, PoolActor owner, PoolServices services);

}  // namespace millrace::actors::db
