// The engine on the library's own connectors, as on anybody's: a pipeline whose database is a
// PostgresSyncConnector or a CallbackConnector.
#include "actors/engine.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/postgres/client/callback_connector.hpp"
#include "connectors/postgres/client/sync_connector.hpp"
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/connector_driver.hpp"
#include "dsl/load.hpp"
#include "support/fake_environment.hpp"
#include "tests/support/postgres.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;

// The engine's pool is the pool: each of its connections is a connector with one.
postgres::Settings single(const sdk::DatabaseSettings& settings) {
  auto one = settings;
  one.driver = "postgres";
  one.pool = {};
  one.pool.max_size = 1;
  return std::make_shared<const sdk::DatabaseSettings>(std::move(one));
}

const sdk::DatabaseDriver* callback_driver() {
  static const sdk::ConnectorDriver driver{"callbacks", [](const sdk::DatabaseSettings& settings) {
                                             return std::make_shared<postgres::CallbackConnector>(
                                               single(settings));
                                           }};
  return &driver;
}

const sdk::DatabaseDriver* blocking_driver() {
  static const sdk::ConnectorDriver driver{
    "blocking", [](const sdk::DatabaseSettings& settings) {
      return sdk::run_on_thread(
        std::make_shared<postgres::PostgresSyncConnector>(single(settings)));
    }};
  return &driver;
}

const sdk::Connector callbacks{.name = "callbacks", .doc = "", .database = &callback_driver};
const sdk::Connector blocking{.name = "blocking", .doc = "", .database = &blocking_driver};

class LibraryPipelineTest : public testing::TestWithParam<std::string> {};

TEST_P(LibraryPipelineTest, WritesInTransactionsAndReads) {
  auto* server = PostgresServer::shared();
  if (server == nullptr)
    GTEST_SKIP() << PostgresServer::why_not();
  const auto table = "library_pipeline_" + GetParam() + std::to_string(getpid());
  postgres::ConnectionConfig config{.host = {server->host()}};
  config.port = server->port();
  config.user = server->user();
  config.dbname = server->dbname();
  postgres::PostgresSyncConnector db{config};
  ASSERT_TRUE(db.connect());
  ASSERT_TRUE(db.execute("CREATE TABLE " + table + " (n int, twice int)"));

  FakeEnvironment world;
  world.files["orders.yaml"] =
    "servers:\n  db: {driver: " + GetParam() + ", host: '" + server->host() + "', port: "
    + std::to_string(server->port()) + ", user: " + server->user() + ", dbname: " + server->dbname()
    + "}\n"
      "name: trial\nsteps:\n"
      "  - {name: in, type: generate, count: 5}\n"
      "  - name: both\n    type: database\n    operation: transaction\n    server: db\n    steps:\n"
      "      - {name: double, type: database, operation: executeSql, server: db,\n"
      "         query: 'SELECT ?::int * 2 AS twice', parameters: ['$.in.n'],\n"
      "         response: {twice: '$.rows[0].twice'}}\n"
      "      - {name: save, type: database, operation: executeSql, server: db,\n"
      "         query: 'INSERT INTO "
    + table
    + " VALUES (?, ?)', parameters: ['$.in.n', '$.double.twice']}\n"
      "  - {name: out, type: drop}\n";
  std::vector<const sdk::Connector*> connectors{&callbacks, &blocking};
  std::ranges::copy(sdk::built_in_connectors(), std::back_inserter(connectors));
  auto loaded = dsl::load(
    {.files = {"orders.yaml"}, .connectors = connectors, .environment = &world});
  ASSERT_TRUE(loaded.program) << loaded.diagnostics.to_string();
  {
    const auto reactor = asio::make_reactor({.threads = 1});
    actors::EngineServices services{reactor.get(), &sdk::silent_log(), &sdk::system_clock()};
    actors::Engine engine{{.once = true}, services};
    const auto started = engine.start(loaded.program);
    ASSERT_TRUE(started) << started.error().to_string();
    ASSERT_TRUE(engine.wait_for(30s)) << "the pipeline hangs";
    EXPECT_TRUE(engine.summary().all_settled);
  }
  auto sum = db.execute("SELECT count(*) AS rows, sum(twice) AS twice FROM " + table);
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->fetch_one(), (sdk::Value::object({{"rows", 5}, {"twice", 20}})));
  EXPECT_TRUE(db.execute("DROP TABLE " + table));
}

INSTANTIATE_TEST_SUITE_P(BothStyles, LibraryPipelineTest, testing::Values("callbacks", "blocking"),
                         [](const auto& style) { return style.param; });

}  // namespace
}  // namespace millrace::test
