// Opens pools: what the engine, and nobody else, does with them.
//
//   auto pool = spawn_pool(system, {.driver = driver, .settings = settings, .reactor = &reactor,
//   …}); if (!pool) return pool.error(); … pool->close();     // before the system is awaited
#pragma once

#include "actors/db/database_handle.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/log.hpp"

#include <cstdint>
#include <memory>

namespace caf {
class actor_system;
}

namespace millrace::actors {

struct PoolSetup {
  const sdk::DatabaseDriver* driver = nullptr;
  std::shared_ptr<const sdk::DatabaseSettings> settings;
  sdk::Reactor* reactor = nullptr;
  sdk::Log* log = &sdk::silent_log();
  const sdk::Clock* clock = &sdk::system_clock();
  std::uint64_t seed = 0;  // of backoff jitter; 0: random
};

/// The pool connects by itself; that the server is away is no error here. All that `setup` points
/// to outlives the pool, which lives until `close` or `drain`.
/// @returns kind `config` where the settings cannot work with the driver.
sdk::Result<DatabaseHandle> spawn_pool(caf::actor_system& system, PoolSetup setup);

}  // namespace millrace::actors
