// The pool actor: carries out what PoolCore decides, and supervises the connections and sessions.
#pragma once

#include "actors/db/protocol.hpp"

#include <map>
#include <optional>
#include <vector>

namespace millrace::actors::db {

struct PoolState {
  PoolState() = default;
  PoolState(const PoolState&) = delete;
  PoolState& operator=(const PoolState&) = delete;
  ~PoolState();

  static const char* name;  // NOLINT(readability-identifier-naming): CAF's

  PoolServices services;
  std::optional<PoolCore> core;
  std::map<ConnectionId, ConnectionActor> connections;
  std::map<ConnectionId, WireLine> lines;                 // of those that are up
  std::map<caf::actor_addr, ConnectionId> connection_of;  // of monitored connections and sessions
  std::map<caf::actor_addr, ConnectionId> session_on;
  std::map<ConnectionId, SessionActor> lent_to;
  std::vector<std::function<void()>> drained;
  std::optional<sdk::Instant> armed_for;
  std::uint64_t epoch = 0;
  bool was_down = false;
};

PoolActor::behavior_type pool(PoolActor::stateful_pointer<PoolState> self, PoolServices services);

}  // namespace millrace::actors::db
