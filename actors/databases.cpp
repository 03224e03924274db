#include "actors/databases.hpp"

#include "actors/db/spawn.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace millrace::actors {

namespace {

sdk::Error at_server(const dsl::ServerProgram& server, const char* what, const sdk::Error& error) {
  return sdk::Error{error.kind(), "server '" + server.name + "': " + what + error.message(),
                    error.detail()};
}

// How long a wish to stop may go unseen.
constexpr std::chrono::milliseconds look_around{50};

constexpr std::chrono::milliseconds between_tries{1'000};

sdk::Error stopped(const dsl::ServerProgram& server) {
  return {sdk::ErrorKind::cancelled,
          "server '" + server.name + "': stopped before its init was done"};
}

/// @returns false when the process is to stop before.
bool wait_until_ready(const std::future<ExecuteReply>& reply, const std::atomic<bool>& stopping) {
  while (reply.wait_for(look_around) != std::future_status::ready) {
    if (stopping)
      return false;
  }
  return true;
}

bool pause(const std::atomic<bool>& stopping) {
  for (auto waited = look_around; waited <= between_tries && !stopping; waited += look_around)
    std::this_thread::sleep_for(look_around);
  return !stopping;
}

sdk::Status run_statement(const dsl::ServerProgram& server, const DatabaseHandle& database,
                          const std::string& sql, const std::atomic<bool>& stopping) {
  auto answered = std::make_shared<std::promise<ExecuteReply>>();
  auto reply = answered->get_future();
  sdk::Statement statement;
  statement.sql = sql;
  statement.options.secret = server.init_secret;
  database.execute(std::move(statement),
                   [answered](ExecuteReply result) { answered->set_value(std::move(result)); });
  if (!wait_until_ready(reply, stopping))
    return stopped(server);
  for (const auto& result : reply.get().results) {
    if (!result)
      return server.init_secret ? result.error().masked() : result.error();
  }
  return {};
}

// A server that is down is waited for: a service comes up when its database does. The statements
// are idempotent, so one whose answer was lost is run again.
sdk::Status run_init(const dsl::ServerProgram& server, const DatabaseHandle& database, bool once,
                     sdk::Log& log, const std::atomic<bool>& stopping) {
  for (const auto& sql : server.init) {
    while (true) {
      if (stopping)
        return stopped(server);
      const auto done = run_statement(server, database, sql, stopping);
      if (done)
        break;
      const auto& error = done.error();
      if (error.kind() == sdk::ErrorKind::cancelled && stopping)
        return error;
      // A file that cannot be opened is a mistake; a host that does not answer may come up yet.
      const bool down = error.kind() == sdk::ErrorKind::connection
                        && !database.settings().hosts.empty()
                        && (error.retryable() || error.outcome_unknown());
      if (!down || once)
        return at_server(server, "an init statement failed: ", error);
      log.warn("server cannot be reached, its init waits",
               {{"server", sdk::Value{server.name}}, {"error", sdk::Value{error.to_string()}}});
      if (!pause(stopping))
        return stopped(server);
    }
  }
  return {};
}

/// The pool of a server that means the same there.
std::optional<DatabaseHandle> find_pool(const Generation* generation,
                                        const dsl::ServerProgram& server) {
  if (!generation)
    return std::nullopt;
  const auto& servers = generation->program->servers;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!server.fingerprint.empty() && servers[i].fingerprint == server.fingerprint
        && generation->pools[i])
      return generation->pools[i];
  }
  return std::nullopt;
}

}  // namespace

sdk::Status open_pools(caf::actor_system& system, Generation& next, const Generation* before,
                       const EngineServices& services, std::uint64_t seed) {
  const auto& servers = next.program->servers;
  next.pools.resize(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const auto& server = servers[i];
    if (!server.database || !server.connector || !server.connector->database)
      continue;
    if (auto kept = find_pool(before, server)) {
      next.pools[i] = std::move(*kept);
      continue;
    }
    PoolSetup setup;
    setup.driver = server.connector->database();
    setup.settings = server.database;
    setup.reactor = services.reactor;
    setup.log = services.log;
    setup.clock = services.clock;
    setup.seed = seed + i;
    auto pool = spawn_pool(system, std::move(setup));
    if (!pool) {
      close_pools(next, before);
      return at_server(server, "", pool.error());
    }
    next.pools[i] = std::move(*pool);
  }
  next.databases.resize(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (next.pools[i])
      next.databases[i] = next.pools[i].for_pipelines();
  }
  return {};
}

void close_pools(const Generation& gone, const Generation* present) {
  for (std::size_t i = 0; i < gone.pools.size(); ++i) {
    if (gone.pools[i] && !find_pool(present, gone.program->servers[i]))
      gone.pools[i].close();
  }
}

sdk::Status run_inits(const Generation& next, const Generation* before,
                      const EngineServices& services, bool once,
                      const std::atomic<bool>& stopping) {
  const auto& servers = next.program->servers;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!next.pools[i] || find_pool(before, servers[i]))
      continue;
    if (auto done = run_init(servers[i], next.pools[i], once,
                             services.log ? *services.log : sdk::silent_log(), stopping);
        !done)
      return done;
  }
  return {};
}

}  // namespace millrace::actors
