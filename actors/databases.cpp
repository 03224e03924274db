#include "actors/databases.hpp"

#include "actors/db/spawn.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

namespace millrace::actors {

namespace {

sdk::Error at_server(const dsl::ServerProgram& server, const char* what, const sdk::Error& error) {
  return sdk::Error{error.kind(), "server '" + server.name + "': " + what + error.message(),
                    error.detail()};
}

// How long a wish to stop may go unseen.
constexpr std::chrono::milliseconds look_around{50};

sdk::Status run_init(const dsl::ServerProgram& server, const DatabaseHandle& database,
                     const std::atomic<bool>& stopping) {
  const sdk::Error stopped{sdk::ErrorKind::cancelled,
                           "server '" + server.name + "': stopped before its init was done"};
  for (const auto& sql : server.init) {
    if (stopping)
      return stopped;
    auto answered = std::make_shared<std::promise<ExecuteReply>>();
    auto reply = answered->get_future();
    sdk::Statement statement;
    statement.sql = sql;
    database.execute(std::move(statement),
                     [answered](ExecuteReply result) { answered->set_value(std::move(result)); });
    while (reply.wait_for(look_around) != std::future_status::ready) {
      if (stopping)
        return stopped;
    }
    for (const auto& result : reply.get().results) {
      if (!result)
        return at_server(server, "an init statement failed: ", result.error());
    }
  }
  return {};
}

}  // namespace

sdk::Status open_databases(caf::actor_system& system, const dsl::Program& program,
                           const EngineServices& services, std::uint64_t seed,
                           const std::atomic<bool>& stopping, std::vector<DatabaseHandle>& opened) {
  opened.resize(program.servers.size());
  for (std::size_t i = 0; i < program.servers.size(); ++i) {
    const auto& server = program.servers[i];
    if (!server.database || !server.connector || !server.connector->database)
      continue;
    PoolSetup setup;
    setup.driver = server.connector->database();
    setup.settings = server.database;
    setup.reactor = services.reactor;
    setup.log = services.log;
    setup.clock = services.clock;
    setup.seed = seed + i;
    auto pool = spawn_pool(system, std::move(setup));
    if (!pool)
      return at_server(server, "", pool.error());
    opened[i] = std::move(*pool);
  }
  for (std::size_t i = 0; i < program.servers.size(); ++i) {
    if (!opened[i])
      continue;
    if (auto done = run_init(program.servers[i], opened[i], stopping); !done)
      return done;
    opened[i] = opened[i].for_pipelines();
  }
  return {};
}

}  // namespace millrace::actors
