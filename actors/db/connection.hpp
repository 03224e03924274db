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
};

/// The answers of a burst; closes the wire where it could not be made fit for its use.
std::vector<ItemAnswer> decode(std::vector<sdk::WireAnswer>& answers, sdk::Wire& wire);

ConnectionActor::behavior_type connection(ConnectionActor::stateful_pointer<ConnectionState> self,
                                          ConnectionId id, PoolActor owner, PoolServices services);

}  // namespace millrace::actors::db
