#include "actors/db/spawn.hpp"

#include "actors/db/pool.hpp"

#include <utility>

namespace millrace::actors {

sdk::Result<DatabaseHandle> spawn_pool(caf::actor_system& system, PoolSetup setup) {
  if (auto checked = setup.driver->check(*setup.settings); !checked)
    return checked.error();
  db::PoolServices services{.driver = setup.driver,
                            .settings = setup.settings,
                            .reactor = setup.reactor,
                            .log = setup.log,
                            .clock = setup.clock,
                            .seed = setup.seed,
                            .metrics = std::make_shared<db::PoolMetrics>(setup.settings->name),
                            .facts = std::make_shared<db::PoolFacts>()};
  auto link = std::make_shared<db::PoolLink>();
  link->metrics = services.metrics;
  link->inbox = services.inbox;
  link->driver = setup.driver;
  link->settings = std::move(setup.settings);
  link->actor = system.spawn(db::pool, std::move(services));
  return DatabaseHandle{std::move(link)};
}

}  // namespace millrace::actors
