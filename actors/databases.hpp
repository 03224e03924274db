// Opens the pools of a program's database servers, and runs each server's `init`.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/engine.hpp"
#include "actors/pipeline/call_ports.hpp"
#include "dsl/program.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace caf {
class actor_system;
}

namespace millrace::actors {

/// A program as it runs: what its pipelines share. Kept alive by them.
struct Generation {
  std::shared_ptr<const dsl::Program> program;
  std::vector<DatabaseHandle> pools;      // by index in Program::servers; empty: no database
  std::vector<DatabaseHandle> databases;  // the same, as pipelines see them
  CallPorts calls;
};

/// Opens the pools of `next`, and takes over those of `before` (may be null) whose servers mean the
/// same. @returns what is wrong with a server's settings; what was opened is closed then.
sdk::Status open_pools(caf::actor_system& system, Generation& next, const Generation* before,
                       const EngineServices& services, std::uint64_t seed);

/// Closes the pools of `gone` that `present` (may be null) has not.
void close_pools(const Generation& gone, const Generation* present);

/// Runs the `init` of the servers whose pools `before` (may be null) has not. Waits, on the
/// caller's thread; and where a statement cannot be run because its server cannot be reached, for
/// the server, unless this run is to end (`once`).
/// @param stopping ends the wait, from any thread.
/// @returns the first `init` statement that failed, or `cancelled`.
sdk::Status run_inits(const Generation& next, const Generation* before,
                      const EngineServices& services, bool once, const std::atomic<bool>& stopping);

}  // namespace millrace::actors
