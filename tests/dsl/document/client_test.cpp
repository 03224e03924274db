// The client's own text, word for word.
#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/json.hpp"
#include "dsl/document/load_support.hpp"

#include <fstream>
#include <sstream>

namespace millrace::dsl {
namespace {

std::string piece(const std::string& name) {
  std::ifstream in{std::string{MILLRACE_SOURCE_DIR} + "/tests/golden/client/" + name + ".yaml"};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string indented(const std::string& text, std::size_t spaces) {
  std::istringstream lines{text};
  std::string out;
  for (std::string line; std::getline(lines, line);)
    out += std::string(spaces, ' ') + line + "\n";
  return out;
}

test::FakeEnvironment client_world() {
  test::FakeEnvironment world;
  world.values = {{"DB_URL", "postgresql://ignored:too@db.example:5433/shop"},
                  {"DB_USERNAME", "reader"},
                  {"DB_PASSWORD", "pl4nted"}};
  return world;
}

const std::string first_steps =
  "  - {name: receive-customer-kafka, type: stdin}\n"
  "  - name: calculate-min-start-date\n"
  "    type: transform\n"
  "    set: {minStartDate: \"dateadd(currentdatetime(), '-P90D')\"}\n";

void expect_the_client_program(const Program& program) {
  ASSERT_EQ(program.servers.size(), 1U);
  const auto& settings = *program.servers[0].database;
  EXPECT_EQ(settings.driver, "postgres");
  EXPECT_EQ(settings.user, "reader");
  EXPECT_EQ(settings.password.reveal(), "pl4nted");
  EXPECT_EQ(settings.dbname, "shop");
  ASSERT_EQ(program.pipelines.size(), 1U);
  const auto& pipeline = program.pipelines[0];
  ASSERT_EQ(pipeline.steps.steps.size(), 2U);
  const auto& step = *pipeline.steps.steps[1];
  EXPECT_EQ(step.name, "query-loyalty-score");
  const auto& call = std::get<DatabaseCall>(step.body);
  EXPECT_EQ(call.operation, DatabaseOperation::execute);
  EXPECT_EQ(call.server, 0U);
  ASSERT_EQ(call.statements.size(), 1U);
  ASSERT_EQ(call.statements[0].parameters.size(), 3U);
  EXPECT_EQ(call.statements[0].parameters[2].literal, "currentdatetime");
  sdk::Record record;
  record.set(0, *sdk::parse_json(R"({"customerId": 42})"));
  EXPECT_EQ(*call.statements[0].parameters[0].value->evaluate({.record = &record}), sdk::Value{42});
  ASSERT_EQ(step.response.size(), 1U);
  const auto result = *sdk::parse_json(R"({"rows": [{"loyaltyscore": 7}]})");
  EXPECT_EQ(*step.response[0].value->evaluate({.record = &record, .result = &result}),
            sdk::Value{7});
}

TEST(ClientTest, RunsWithTheSchemesInsideTheServer) {
  const auto server = piece("server");
  const auto split = server.find("securitySchemes:");
  expect_the_client_program(
    *test::program_of("name: loyalty\nservers:\n" + indented(server.substr(0, split), 2)
                        + indented(server.substr(split), 4) + piece("operations") + "steps:\n"
                        + first_steps + indented(piece("step"), 2),
                      client_world()));
}

TEST(ClientTest, RunsWithTheSchemesAtTheTopLevel) {
  const auto server = piece("server");
  const auto split = server.find("securitySchemes:");
  expect_the_client_program(*test::program_of(
    "name: loyalty\nservers:\n" + indented(server.substr(0, split), 2) + server.substr(split)
      + piece("operations") + "steps:\n" + first_steps + indented(piece("step"), 2),
    client_world()));
}

TEST(ClientTest, RunsWithBothPiecesBelowServersAsTheyStand) {
  expect_the_client_program(*test::program_of(
    "name: loyalty\nservers:\n" + indented(piece("server"), 2) + piece("operations") + "steps:\n"
      + first_steps + indented(piece("step"), 2),
    client_world()));
}

TEST(ClientTest, TakesItsOwnOperationsAsPresets) {
  const auto program = test::program_of(
    "name: loyalty\nservers:\n" + indented(piece("server"), 2) + piece("operations")
      + "steps:\n"
        "  - {name: in, type: stdin}\n"
        "  - {name: open, operation: dbConnecton}\n"
        "  - {name: write, operation: executeSql, query: \"DELETE FROM t\", parameters: []}\n"
        "  - {name: end, operation: commitSql}\n",
    client_world());
  ASSERT_EQ(program->pipelines.size(), 1U);
  const auto& pipeline = program->pipelines[0];
  ASSERT_EQ(pipeline.spans.size(), 1U);
  EXPECT_TRUE(pipeline.spans[0].implicit);
  EXPECT_EQ(pipeline.spans[0].opened_by, "open");
  EXPECT_EQ(pipeline.spans[0].closed_by, "end");
  const auto& open = std::get<DatabaseCall>(pipeline.steps.steps[0]->body);
  EXPECT_EQ(open.operation, DatabaseOperation::check);
  EXPECT_TRUE(open.opens_span);
}

}  // namespace
}  // namespace millrace::dsl
