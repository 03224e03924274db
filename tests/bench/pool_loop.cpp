// SELECTs by key through the pool's actors, without an engine around them: what executeSql can
// reach at most. Beside it, in the same run, libpq alone in pipeline mode with a Sync per
// statement.
//
//   pool_loop postgresql://… [statements] [sets per message]
#include "actors/caf.hpp"
#include "actors/db/spawn.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/dsn.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace millrace::postgres {
extern const sdk::Connector connector;
}

namespace {

using namespace millrace;
using Clock = std::chrono::steady_clock;

constexpr int keys = 100'000;
constexpr int window = 256;  // statements in flight of the bare loop

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check(PGconn* connection, bool good) {
  if (good)
    return;
  std::fprintf(stderr, "%s\n", PQerrorMessage(connection));
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): nothing else runs
}

void take_result(PGconn* connection) {
  PGresult* rows = PQgetResult(connection);
  check(connection, PQntuples(rows) == 1);
  PQclear(rows);
  check(connection, PQgetResult(connection) == nullptr);
  PGresult* sync = PQgetResult(connection);
  check(connection, PQresultStatus(sync) == PGRES_PIPELINE_SYNC);
  PQclear(sync);
}

double bare(const char* url, int statements) {
  PGconn* connection = PQconnectdb(url);
  check(connection, PQstatus(connection) == CONNECTION_OK);
  PQclear(PQexec(connection,
                 "CREATE TABLE IF NOT EXISTS pool_loop (id int PRIMARY KEY, name text);"
                 "INSERT INTO pool_loop SELECT i, 'name ' || i FROM generate_series(0, 99999) i "
                 "ON CONFLICT DO NOTHING; ANALYZE pool_loop"));
  PQclear(PQprepare(connection, "q", "SELECT name FROM pool_loop WHERE id = $1", 1, nullptr));
  check(connection, PQenterPipelineMode(connection) == 1);
  const auto start = Clock::now();
  int in_flight = 0;
  for (int i = 0; i < statements; ++i) {
    const auto text = std::to_string(i % keys);
    const char* parameter = text.c_str();
    check(connection, PQsendQueryPrepared(connection, "q", 1, &parameter, nullptr, nullptr, 0) == 1
                        && PQpipelineSync(connection) == 1);
    if (++in_flight == window) {
      for (; in_flight > window / 2; --in_flight)
        take_result(connection);
    }
  }
  for (; in_flight > 0; --in_flight)
    take_result(connection);
  const auto rate = statements / seconds_since(start);
  PQfinish(connection);
  return rate;
}

// Sends messages of `sets` parameter sets, so many at a time, and counts what comes back.
double pooled(const actors::DatabaseHandle& pool, int statements, int sets) {
  constexpr int messages_in_flight = 16;
  std::mutex mutex;
  std::condition_variable changed;
  int open = 0;
  std::atomic<int> good = 0;
  const auto start = Clock::now();
  for (int first = 0; first < statements; first += sets) {
    sdk::Statement find{.sql = "SELECT name FROM pool_loop WHERE id = $1", .sets = {}};
    find.sets.reserve(static_cast<std::size_t>(sets));
    for (int set = 0; set < sets; ++set)
      find.sets.push_back({sdk::Value{(first + set) % keys}});
    {
      std::unique_lock lock{mutex};
      changed.wait(lock, [&] { return open < messages_in_flight; });
      ++open;
    }
    pool.execute(std::move(find), [&](const actors::ExecuteReply& reply) {
      for (const auto& result : reply.results)
        good += result && result->rows.size() == 1 ? 1 : 0;
      const std::lock_guard lock{mutex};
      --open;
      changed.notify_one();
    });
  }
  std::unique_lock lock{mutex};
  changed.wait(lock, [&] { return open == 0; });
  return good / seconds_since(start);
}

struct Config : caf::actor_system_config {
  Config() { actors::configure_scheduler(*this, 2); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return 64;
  const int statements = argc > 2 ? std::atoi(argv[2]) : 200'000;
  const int sets = argc > 3 ? std::atoi(argv[3]) : 100;
  const auto dsn = sdk::parse_dsn(argv[1]);
  if (!dsn)
    return 64;
  auto settings = std::make_shared<sdk::DatabaseSettings>();
  settings->name = "bench";
  settings->driver = "postgres";
  for (const auto& host : dsn->hosts)
    settings->hosts.push_back(
      {host.host, static_cast<std::uint16_t>(std::atoi(host.port.c_str()))});
  settings->user = dsn->user;
  settings->dbname = dsn->dbname;
  const auto alone = bare(argv[1], statements);
  const auto reactor = asio::make_reactor({.threads = 1});
  Config config;
  caf::actor_system system{config};
  const auto pool = actors::spawn_pool(
    system,
    {.driver = postgres::connector.database(), .settings = settings, .reactor = reactor.get()});
  if (!pool)
    return 78;
  pooled(*pool, statements / 10, sets);  // connects, prepares
  const auto with_pool = pooled(*pool, statements, sets);
  const auto alone_again = bare(argv[1], statements);
  pool->close();
  std::printf("bare libpq %.0f and %.0f statements/s; pool %.0f statements/s: %.0f %%\n", alone,
              alone_again, with_pool, 100 * with_pool / std::max(alone, alone_again));
  return 0;
}
