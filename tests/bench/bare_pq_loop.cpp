// What libpq allows: one connection in pipeline mode, one prepared SELECT by key per input line, a
// Sync behind each. `scripts/bench` runs it beside file -> executeSql -> drop.
//
//   bare_pq_loop in.jsonl postgresql://…
#include "connectors/sdk/json.hpp"

#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

namespace {

constexpr int window = 256;  // statements in flight

struct Finish {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};

using Connection = std::unique_ptr<PGconn, Finish>;

[[noreturn]] void fail(PGconn* connection) {
  std::fprintf(stderr, "%s\n", PQerrorMessage(connection));
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): one thread
}

/// Takes the rows of one statement, the end of its results and its Sync.
void take_result(PGconn* connection) {
  PGresult* rows = PQgetResult(connection);
  if (PQresultStatus(rows) != PGRES_TUPLES_OK)
    fail(connection);
  PQclear(rows);
  if (PQgetResult(connection) != nullptr)
    fail(connection);
  PGresult* sync = PQgetResult(connection);
  if (PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
    fail(connection);
  PQclear(sync);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3)
    return 64;
  const Connection connection{PQconnectdb(argv[2])};
  PGconn* pq = connection.get();
  if (PQstatus(pq) != CONNECTION_OK)
    fail(pq);
  PQclear(PQprepare(pq, "q", "SELECT name FROM bench WHERE id = $1::int", 1, nullptr));
  if (PQenterPipelineMode(pq) != 1)
    fail(pq);
  std::ifstream in{argv[1]};
  millrace::sdk::JsonReader reader;
  int in_flight = 0;
  for (std::string line; std::getline(in, line);) {
    const auto value = reader.parse(line);
    const auto* id = value ? value->find("id") : nullptr;
    if (id == nullptr)
      return 1;
    const std::string text = std::to_string(id->as_integer());
    const char* parameter = text.c_str();
    if (PQsendQueryPrepared(pq, "q", 1, &parameter, nullptr, nullptr, 0) != 1
        || PQpipelineSync(pq) != 1)
      fail(pq);
    if (++in_flight == window) {
      for (; in_flight > window / 2; --in_flight)
        take_result(pq);
    }
  }
  for (; in_flight > 0; --in_flight)
    take_result(pq);
  return 0;
}
