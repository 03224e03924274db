// The engine on a connector of somebody else's: YAML pipelines over the mock, in both styles.
#include "actors/engine.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/connector_driver.hpp"
#include "connectors/sdk/mock_database.hpp"
#include "dsl/load.hpp"
#include "support/fake_environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;
using sdk::Value;

// What the drivers below stand on; a Connector names its driver by a plain function.
sdk::MockDatabase& shared_mock() {
  static sdk::MockDatabase mock;
  return mock;
}

const sdk::DatabaseDriver* callback_driver() {
  static const sdk::ConnectorDriver driver{
    "mock", [](const sdk::DatabaseSettings&) { return shared_mock().connector(); }};
  return &driver;
}

const sdk::DatabaseDriver* blocking_driver() {
  static const sdk::ConnectorDriver driver{"blocking_mock", [](const sdk::DatabaseSettings&) {
                                             return sdk::run_on_thread(shared_mock().connector());
                                           }};
  return &driver;
}

const sdk::Connector callback_connector{.name = "mock", .doc = "", .database = &callback_driver};
const sdk::Connector blocking_connector{
  .name = "blocking_mock", .doc = "", .database = &blocking_driver};

class MockPipelineTest : public testing::TestWithParam<std::string> {
protected:
  MockPipelineTest() { shared_mock() = sdk::MockDatabase{}; }

  actors::EngineSummary run(const std::string& steps) {
    FakeEnvironment world;
    world.files["orders.yaml"] = "servers:\n  db: {driver: " + GetParam()
                                 + ", retry: {base: 1ms, connection_base: 1ms}}\n"
                                   "name: trial\nsteps:\n"
                                   "  - {name: in, type: generate, count: 3}\n"
                                 + steps + "  - {name: out, type: drop}\n";
    std::vector<const sdk::Connector*> connectors{&callback_connector, &blocking_connector};
    std::ranges::copy(sdk::built_in_connectors(), std::back_inserter(connectors));
    auto loaded = dsl::load(
      {.files = {"orders.yaml"}, .connectors = connectors, .environment = &world});
    if (!loaded.program) {
      ADD_FAILURE() << loaded.diagnostics.to_string();
      return {};
    }
    const auto reactor = asio::make_reactor({.threads = 1});
    actors::EngineServices services{reactor.get(), &sdk::silent_log(), &sdk::system_clock()};
    actors::Engine engine{{.once = true}, services};
    const auto started = engine.start(loaded.program);
    EXPECT_TRUE(started) << started.error().to_string();
    EXPECT_TRUE(engine.wait_for(30s)) << "the pipeline hangs";
    return engine.summary();
  }

  static sdk::Error fault(sdk::ErrorKind kind, std::string code, bool retryable) {
    sdk::Error::Detail detail{.code = std::move(code)};
    detail.retryable = retryable;
    return {kind, "planted", detail};
  }

  sdk::MockDatabase& mock = shared_mock();
};

TEST_P(MockPipelineTest, StatementsComeWithTheirParametersAndGoOnWithTheirRows) {
  mock.answer("FROM customers", {Value::object({{"score", 42}})});
  const auto summary = run(
    "  - {name: score, type: database, operation: executeSql, server: db,\n"
    "     query: 'SELECT score FROM customers WHERE id = ?', parameters: ['$.in.n'],\n"
    "     response: {score: '$.rows[0].score'}}\n"
    "  - {name: save, type: database, operation: executeSql, server: db,\n"
    "     query: 'INSERT INTO scores VALUES (?, ?)', parameters: ['$.in.n', '$.score.score']}\n");
  EXPECT_TRUE(summary.all_settled);
  std::vector<Value> inserts;
  for (const auto& statement : mock.statements()) {
    if (statement.sql.starts_with("INSERT"))
      inserts.push_back(statement.arguments);
  }
  EXPECT_THAT(inserts, testing::UnorderedElementsAre(Value::array({0, 42}), Value::array({1, 42}),
                                                     Value::array({2, 42})));
}

TEST_P(MockPipelineTest, TransactionsBeginAndCommitOnOneConnector) {
  const auto summary = run("  - name: both\n    type: database\n    operation: transaction\n"
                           "    server: db\n    steps:\n"
                           "      - {name: a, type: database, operation: executeSql, server: db, "
                           "query: 'INSERT INTO a VALUES (?)', parameters: ['$.in.n']}\n"
                           "      - {name: b, type: database, operation: executeSql, server: db, "
                           "query: 'INSERT INTO b VALUES (?)', parameters: ['$.in.n']}\n");
  EXPECT_TRUE(summary.all_settled);
  EXPECT_EQ(mock.count("begin"), 3U);
  EXPECT_EQ(mock.count("commit"), 3U);
  EXPECT_EQ(mock.count("rollback"), 0U);
  std::size_t inside = 0;
  for (const auto& statement : mock.statements())
    inside += statement.in_transaction && statement.sql.starts_with("INSERT") ? 1 : 0;
  EXPECT_EQ(inside, 6U);
}

TEST_P(MockPipelineTest, FaultsAreRetriedOrEndTheRecordAsTheySay) {
  mock.fail_next("INSERT", fault(sdk::ErrorKind::transaction, "40001", true), 2);
  const auto summary = run("  - {name: save, type: database, operation: executeSql, server: db,\n"
                           "     query: 'INSERT INTO t VALUES (?)', parameters: ['$.in.n']}\n");
  EXPECT_TRUE(summary.all_settled);
  EXPECT_EQ(mock.count("execute"), 5U);  // three records, two of them twice or one three times
}

TEST_P(MockPipelineTest, ALostConnectorIsReplaced) {
  mock.fail_operation("connect", fault(sdk::ErrorKind::connection, "08001", true));
  const auto summary = run("  - {name: save, type: database, operation: executeSql, server: db,\n"
                           "     query: 'INSERT INTO t VALUES (?)', parameters: ['$.in.n']}\n");
  EXPECT_TRUE(summary.all_settled);
  EXPECT_GE(mock.count("connect"), 2U);
  EXPECT_EQ(mock.statements().size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(BothStyles, MockPipelineTest, testing::Values("mock", "blocking_mock"),
                         [](const auto& style) { return style.param; });

}  // namespace
}  // namespace millrace::test
