// Opens the pools of a program's database servers, and runs each server's `init`.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/engine.hpp"
#include "dsl/program.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace caf {
class actor_system;
}

namespace millrace::actors {

/// By index in Program::servers; empty handles stand for servers that are no databases. Waits for
/// the `init` statements, on the caller's thread; and where one cannot be run because its server
/// cannot be reached, for the server, unless this run is to end (`once`).
/// @param stopping ends the wait, from any thread.
/// @returns what is wrong with a server's settings, the first `init` statement that failed, or
///   `cancelled`. What is open by then stands in `opened`, to be closed.
sdk::Status open_databases(caf::actor_system& system, const dsl::Program& program,
                           const EngineServices& services, std::uint64_t seed, bool once,
                           const std::atomic<bool>& stopping, std::vector<DatabaseHandle>& opened);

}  // namespace millrace::actors
