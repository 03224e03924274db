// 10,000 rows of five columns into a table: through a session of the pool, as copyIn does it, from
// Values; beside it, in turns, psql's \copy of the same rows from a text file.
//
//   copy_loop postgresql://… [rounds]
#include "actors/caf.hpp"
#include "actors/db/directory.hpp"
#include "actors/db/spawn.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/bulk.hpp"
#include "connectors/sdk/connector.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace millrace::postgres {
extern const sdk::Connector connector;
}

namespace {

using namespace millrace;
using Clock = std::chrono::steady_clock;
using Rows = std::vector<sdk::Parameters>;

constexpr int row_count = 10'000;
constexpr const char* create = "DROP TABLE IF EXISTS copy_loop; CREATE TABLE copy_loop (id int8, "
                               "name text, price float8, at timestamptz, amount int4)";

void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): nothing else runs
}

void execute(const char* url, const char* sql) {
  PGconn* connection = PQconnectdb(url);
  PGresult* result = PQexec(connection, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK)
    fail(PQerrorMessage(connection));
  PQclear(result);
  PQfinish(connection);
}

std::shared_ptr<const Rows> make_rows() {
  auto rows = std::make_shared<Rows>();
  for (int i = 0; i < row_count; ++i)
    rows->push_back({sdk::Value{i}, sdk::Value{"name of " + std::to_string(i)},
                     sdk::Value{i * 0.25}, sdk::Value{"2026-01-02T03:04:05.25Z"},
                     sdk::Value{i % 100}});
  return rows;
}

// Milliseconds of BEGIN, COPY and COMMIT.
double pooled(const actors::DatabaseHandle& pool, const std::shared_ptr<const Rows>& rows) {
  const auto start = Clock::now();
  std::promise<sdk::Result<actors::SessionHandle>> begun;
  pool.begin(
    {}, [&](sdk::Result<actors::SessionHandle> session) { begun.set_value(std::move(session)); });
  const auto session = begun.get_future().get();
  if (!session)
    fail(session.error().to_string());
  sdk::Statement statement{.sql = "COPY copy_loop"};
  statement.bulk = std::make_shared<const sdk::BulkRows>(
    sdk::BulkRows{"copy_loop", {"id", "name", "price", "at", "amount"}, rows, 0, rows->size()});
  std::promise<std::string> done;
  session->execute(std::move(statement), [&](const actors::ExecuteReply& reply) {
    if (!reply.results.front()) {
      done.set_value(reply.results.front().error().to_string());
      return;
    }
    session->commit(
      [&](const sdk::Status& status) { done.set_value(status ? "" : status.error().to_string()); });
  });
  if (const auto error = done.get_future().get(); !error.empty())
    fail(error);
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// What psql itself says the \copy took, without its start.
double psql(const std::string& url, const std::string& file) {
  const auto command = "printf '\\\\timing on\\n\\\\copy copy_loop from %s\\n' '" + file
                       + "' | psql -qX '" + url + "'";
  std::FILE* out = ::popen(command.c_str(), "r");
  std::array<char, 256> line{};
  double milliseconds = -1;
  while (std::fgets(line.data(), line.size(), out) != nullptr)
    std::sscanf(line.data(), "Time: %lf ms", &milliseconds);
  if (::pclose(out) != 0 || milliseconds < 0)
    fail("psql failed");
  return milliseconds;
}

double median(std::vector<double> times) {
  std::ranges::sort(times);
  return times[times.size() / 2];
}

struct Config : caf::actor_system_config {
  Config() { actors::configure_scheduler(*this, 2); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return 64;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 21;
  const auto settings = actors::settings_of_url(argv[1]);
  if (!settings)
    return 64;
  execute(argv[1], create);
  const auto rows = make_rows();
  std::string file = "/tmp/copy-loop-XXXXXX";
  ::mkstemp(file.data());
  {
    std::ofstream out{file};
    for (int i = 0; i < row_count; ++i)
      out << i << "\tname of " << i << '\t' << i * 0.25 << "\t2026-01-02T03:04:05.25Z\t" << i % 100
          << '\n';
  }
  const auto reactor = asio::make_reactor({.threads = 1});
  Config config;
  caf::actor_system system{config};
  const auto pool = actors::spawn_pool(
    system,
    {.driver = postgres::connector.database(), .settings = *settings, .reactor = reactor.get()});
  if (!pool)
    return 78;
  pooled(*pool, rows);  // connects
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int round = 0; round < rounds; ++round) {
    execute(argv[1], "TRUNCATE copy_loop");
    ours.push_back(pooled(*pool, rows));
    execute(argv[1], "TRUNCATE copy_loop");
    theirs.push_back(psql(argv[1], file));
  }
  pool->close();
  std::remove(file.c_str());
  const auto a = median(ours);
  const auto b = median(theirs);
  std::printf("copyIn %.1f ms (%.2f M rows/s); psql \\copy %.1f ms (%.2f M rows/s): %.2f times\n",
              a, row_count / a / 1000, b, row_count / b / 1000, b / a);
  return 0;
}
