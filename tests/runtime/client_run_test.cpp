// The client's three pieces, word for word, from end to end on PostgreSQL.
#include "tests/runtime/database_run.hpp"

#include <fstream>
#include <sstream>

namespace millrace::test {
namespace {

std::string piece(const std::string& name, std::size_t spaces) {
  std::ifstream in{std::string{MILLRACE_SOURCE_DIR} + "/tests/golden/client/" + name + ".yaml"};
  std::string text;
  for (std::string line; std::getline(in, line);)
    text += std::string(spaces, ' ') + line + "\n";
  return text;
}

class ClientRunTest : public DatabaseRun {
protected:
  void SetUp() override {
    use_postgres();
    if (IsSkipped())
      return;
    make("CREATE TABLE loyaltyPoints (customer_id integer, ORDERDATE timestamptz)");
    make("INSERT INTO loyaltyPoints SELECT 42, now() - interval '1 day' * d FROM "
         "generate_series(1, 7) d");
    make("INSERT INTO loyaltyPoints VALUES (42, now() - interval '91 days'), (43, now() - interval "
         "'89 days')");
  }

  Finished run(const std::string& steps, const std::string& input) {
    const auto* server = PostgresServer::shared();
    auto ready = launch(
      scratch_.write("client.yaml", "name: loyalty\nservers:\n" + piece("server", 2)
                                      + piece("operations", 0) + "steps:\n" + steps),
      input);
    ready.environment = {
      {"DB_URL", url(*server)}, {"DB_USERNAME", server->user()}, {"DB_PASSWORD", "pl4nted"}};
    return run_process(ready);
  }

  static constexpr const char* first_steps =
    "  - {name: receive-customer-kafka, type: stdin}\n"
    "  - name: calculate-min-start-date\n"
    "    type: transform\n"
    "    set: {minStartDate: \"dateadd(currentdatetime(), '-P90D')\"}\n";
};

TEST_F(ClientRunTest, ScoresEachCustomer) {
  const auto done = run(
    first_steps + piece("step", 2)
      + "  - {name: out, type: stdout, value: {customer: \"$.receive-customer-kafka.customerId\", "
        "score: \"$.query-loyalty-score.loyaltyScore\"}}\n",
    "{\"customerId\":42}\n{\"customerId\":43}\n{\"customerId\":44}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"customer\":42,\"score\":7}\n{\"customer\":43,\"score\":1}\n"
                      "{\"customer\":44,\"score\":null}\n");
}

TEST_F(ClientRunTest, CommitsAndRollsBackWithItsOperations) {
  const std::string write =
    "  - {name: in, type: stdin}\n"
    "  - {name: open, operation: dbConnecton}\n"
    "  - {name: write, operation: executeSql, query: \"INSERT INTO loyaltyPoints VALUES (?, "
    "now())\", parameters: [\"$.in\"]}\n";
  auto done = run(write + "  - {name: end, operation: commitSql}\n", "50\n51\n");
  EXPECT_EQ(done.code, 0) << done.err;
  done = run(write
               + "  - name: which\n    type: switch\n    cases:\n"
                 "      - {when: \"$.in == 52\", steps: [{name: undo, operation: rollbackSql}]}\n"
                 "      - {otherwise: true, steps: [{name: end, operation: commitSql}]}\n",
             "52\n53\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(rows("SELECT customer_id AS id FROM loyaltyPoints WHERE customer_id >= 50 ORDER BY 1"),
            R"([{"id":50},{"id":51},{"id":53}])");
}

}  // namespace
}  // namespace millrace::test
