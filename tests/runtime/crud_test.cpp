// insert, update, upsert, delete and select from YAML, on each database.
#include "tests/runtime/database_run.hpp"

namespace millrace::test {
namespace {

using testing::HasSubstr;

class CrudRunTest : public EachDatabaseRun {
protected:
  void SetUp() override {
    EachDatabaseRun::SetUp();
    if (!IsSkipped())
      make("CREATE TABLE \"Orders\" (id INTEGER PRIMARY KEY, customer TEXT, total NUMERIC(10,2))");
  }

  static std::string step(const std::string& options) {
    return "  - {name: q, type: database, table: Orders, " + options
           + "}\n"
             "  - {name: out, type: stdout, value: \"$.q.rows\"}\n";
  }

  static constexpr const char* orders = "{\"id\":1,\"who\":\"ada\",\"total\":10.5}\n"
                                        "{\"id\":2,\"who\":\"o'hara\",\"total\":20}\n"
                                        "{\"id\":3,\"who\":null,\"total\":30}\n";

  void insert_orders() {
    const auto done = run_once(
      step("operation: insert, values: {id: \"$.in.id\", customer: \"$.in.who\", total: "
           "\"$.in.total\"}"),
      orders);
    ASSERT_EQ(done.code, 0) << done.err;
  }

  std::string table() {
    return rows("SELECT id, customer, CAST(total AS integer) AS total FROM \"Orders\" ORDER BY id");
  }
};

TEST_P(CrudRunTest, InsertsARowForEachRecord) {
  insert_orders();
  EXPECT_EQ(table(), R"([{"id":1,"customer":"ada","total":)"
                       + std::string{is_postgres() ? "11" : "10"}
                       + R"(},{"id":2,"customer":"o'hara","total":20},)"
                         R"({"id":3,"customer":null,"total":30}])");
}

TEST_P(CrudRunTest, InsertReturnsWhatItIsAskedFor) {
  const auto done = run_once(
    step("operation: insert, values: {id: \"$.in.id\", customer: \"$.in.who\"}, returning: [id, "
         "customer]"),
    "{\"id\":7,\"who\":\"ada\"}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "[{\"id\":7,\"customer\":\"ada\"}]\n");
}

TEST_P(CrudRunTest, UpdatesTheRowsThatMatch) {
  insert_orders();
  const auto done = run_once(
    "  - {name: q, type: database, operation: update, table: Orders, values: {customer: "
    "\"$.in.to\"}, where: {customer: \"$.in.from\"}}\n"
    "  - {name: out, type: stdout, value: \"$.q.rowcount\"}\n",
    "{\"from\":\"ada\",\"to\":\"grace\"}\n{\"from\":\"nobody\",\"to\":\"x\"}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "1\n0\n");
  EXPECT_THAT(table(), HasSubstr(R"({"id":1,"customer":"grace")"));
}

TEST_P(CrudRunTest, UpdatesTheRowsWhereAColumnIsNull) {
  insert_orders();
  const auto done = run_once(
    step("operation: update, values: {customer: late}, where: {customer: null}"), "{}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(table(), HasSubstr(R"({"id":3,"customer":"late")"));
}

TEST_P(CrudRunTest, UpsertsByTheKey) {
  insert_orders();
  const auto done = run_once(
    step("operation: upsert, key: [id], values: {id: \"$.in.id\", customer: \"$.in.who\"}"),
    "{\"id\":3,\"who\":\"edsger\"}\n{\"id\":4,\"who\":\"barbara\"}\n{\"id\":3,\"who\":\"tony\"}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(table(), HasSubstr(R"({"id":3,"customer":"tony","total":30})"));
  EXPECT_THAT(table(), HasSubstr(R"({"id":4,"customer":"barbara","total":null})"));
}

TEST_P(CrudRunTest, DeletesTheRowsThatMatch) {
  insert_orders();
  const auto done = run_once(step("operation: delete, where: {id: \"$.in\"}"), "1\n3\n9\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(table(), R"([{"id":2,"customer":"o'hara","total":20}])");
}

TEST_P(CrudRunTest, DeletesAllRowsOnlyWhenToldSo) {
  insert_orders();
  const auto refused = run_once(step("operation: delete, where: {}"), "{}\n");
  EXPECT_EQ(refused.code, 78);
  const auto done = run_once(step("operation: delete, all: true"), "{}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(table(), "[]");
}

TEST_P(CrudRunTest, SelectsColumnsInOrderWithinALimit) {
  insert_orders();
  const auto done = run_once(
    step("operation: select, columns: [id], orderBy: [id desc], limit: \"$.in\", offset: 1"),
    "5\n1\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "[{\"id\":2},{\"id\":1}]\n[{\"id\":2}]\n");
}

TEST_P(CrudRunTest, ARowThatIsRefusedHarmsNoOther) {
  insert_orders();
  const auto done = run_once(
    "  - {name: q, type: database, operation: insert, table: Orders, values: {id: \"$.in\"}, "
    "onError: {match: ['23*'], then: skip}}\n",
    "4\n2\n5\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(rows("SELECT id FROM \"Orders\" ORDER BY id"),
            R"([{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}])");
}

INSTANTIATE_TEST_SUITE_P(Databases, CrudRunTest, testing::Values("sqlite", "postgres"),
                         database_name);

}  // namespace
}  // namespace millrace::test
