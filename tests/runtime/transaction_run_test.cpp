// Transactions from YAML: what commits together, what rolls back, what runs again.
#include "tests/runtime/database_run.hpp"

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string block(const std::string& options, const std::string& steps) {
  return "  - name: block\n    type: database\n    operation: transaction\n    server: db\n"
         + options + "    steps:\n" + steps;
}

std::string sql(const std::string& name, const std::string& query, const std::string& parameters) {
  return "      - {name: " + name + ", type: database, operation: executeSql, query: \"" + query
         + "\", parameters: " + parameters + "}\n";
}

class TransactionRunTest : public EachDatabaseRun {
protected:
  void SetUp() override {
    EachDatabaseRun::SetUp();
    if (!IsSkipped())
      make("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)");
  }

  static constexpr const char* dead_letters =
    "deadLetter: {type: file, operation: write, path: dead.jsonl}\n";
};

TEST_P(TransactionRunTest, ABlockIsAllOrNothingForEachRecord) {
  const auto done = run_once(
    block("    onError: {then: deadLetter}\n",
          sql("a", "INSERT INTO t VALUES (?, 1)", "[\"$.in.id\"]")
            + sql("b", "INSERT INTO t VALUES (?, ?)", "[\"$.in.other\", \"$.in.n\"]")),
    "{\"id\":1,\"other\":11,\"n\":1}\n{\"id\":2,\"other\":12,\"n\":null}\n"
    "{\"id\":3,\"other\":13,\"n\":1}\n",
    dead_letters);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(rows("SELECT id FROM t ORDER BY id"), R"([{"id":1},{"id":3},{"id":11},{"id":13}])");
  EXPECT_THAT(scratch_.read("dead.jsonl"), HasSubstr("23502"));
  EXPECT_THAT(scratch_.read("dead.jsonl"), HasSubstr("\"other\":12"));
}

TEST_P(TransactionRunTest, AFlatSpanIsAllOrNothingForEachRecord) {
  const auto done = run_once(
    "  - {name: begin, type: database, operation: beginSql}\n"
    "  - {name: a, type: database, operation: insert, table: t, values: {id: \"$.in.id\", n: 1}}\n"
    "  - {name: good, type: filter, when: \"$.in.good\"}\n"
    "  - {name: b, type: database, operation: update, table: t, values: {n: \"$.in.n\"}, where: "
    "{id: "
    "\"$.in.id\"}, onError: {then: skip}}\n"
    "  - {name: end, type: database, operation: commitSql}\n"
    "  - {name: out, type: stdout, value: \"$.in.id\"}\n",
    "{\"id\":1,\"good\":true,\"n\":5}\n{\"id\":2,\"n\":5}\n{\"id\":3,\"good\":true,\"n\":null}\n"
    "{\"id\":4,\"good\":true,\"n\":6}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "1\n4\n");
  EXPECT_EQ(rows("SELECT id, n FROM t ORDER BY id"), R"([{"id":1,"n":5},{"id":4,"n":6}])");
}

TEST_P(TransactionRunTest, ASavepointKeepsWhatCameBefore) {
  const auto done = run_once(
    "  - {name: begin, type: database, operation: beginSql}\n"
    "  - {name: a, type: database, operation: insert, table: t, values: {id: \"$.in\", n: 1}}\n"
    "  - {name: here, type: database, operation: savepoint}\n"
    "  - {name: b, type: database, operation: update, table: t, values: {n: 2}, all: true}\n"
    "  - {name: back, type: database, operation: rollbackTo, savepoint: here}\n"
    "  - {name: end, type: database, operation: commitSql}\n",
    "1\n2\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(rows("SELECT id, n FROM t ORDER BY id"), R"([{"id":1,"n":1},{"id":2,"n":1}])");
}

TEST_P(TransactionRunTest, ExecuteBatchTakesEffectAsAWholeOrNotAtAll) {
  const auto done = run_once(
    "  - {name: q, type: database, operation: executeBatch, onError: {then: skip}, statements: "
    "[{query: \"INSERT INTO t VALUES (?, 1)\", parameters: [\"$.in.a\"]}, {query: \"INSERT INTO t "
    "VALUES (?, 1)\", parameters: [\"$.in.b\"]}]}\n"
    "  - {name: out, type: stdout, value: \"$.q.rowcount\"}\n",
    "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":1}\n{\"a\":4,\"b\":5}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "2\n2\n");
  EXPECT_EQ(rows("SELECT id FROM t ORDER BY id"), R"([{"id":1},{"id":2},{"id":4},{"id":5}])");
}

TEST_P(TransactionRunTest, ATransactionPerBatchRunsRecordByRecordWhereItFails) {
  const auto done = run_once(block("    per: batch\n    onError: {then: deadLetter}\n",
                                   sql("a", "INSERT INTO t VALUES (?, 1)", "[\"$.in\"]")),
                             "1\n2\n2\n3\n", dead_letters);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(rows("SELECT id FROM t ORDER BY id"), R"([{"id":1},{"id":2},{"id":3}])");
  EXPECT_THAT(scratch_.read("dead.jsonl"), HasSubstr("23505"));
}

TEST_P(TransactionRunTest, AReadOnlyBlockRefusesToWrite) {
  if (!is_postgres())
    GTEST_SKIP() << "SQLite's own transactions know no read-only mode";
  const auto done = run_once(block("    readOnly: true\n    onError: {then: deadLetter}\n",
                                   sql("a", "INSERT INTO t VALUES (?, 1)", "[\"$.in\"]")),
                             "1\n", dead_letters);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(scratch_.read("dead.jsonl"), HasSubstr("25006"));
  EXPECT_EQ(rows("SELECT id FROM t"), "[]");
}

INSTANTIATE_TEST_SUITE_P(Databases, TransactionRunTest, testing::Values("sqlite", "postgres"),
                         database_name);

class PostgresTransactionTest : public DatabaseRun {
protected:
  void SetUp() override { use_postgres(); }
};

TEST_F(PostgresTransactionTest, HasTheIsolationThatItsBlockSays) {
  const auto settings = [](const char* name) {
    return sql("a",
               "SELECT current_setting('transaction_isolation') AS i, "
               "current_setting('transaction_read_only') AS r, "
               "current_setting('transaction_deferrable') AS d",
               "[]")
           + "      - {name: " + name
           + ", type: transform, set: {i: \"$.a.rows[0].i\", r: "
             "\"$.a.rows[0].r\", d: \"$.a.rows[0].d\"}}\n";
  };
  const std::string out = "  - {name: out, type: stdout}\n";
  auto done = run_once(
    block("    isolation: serializable\n    readOnly: true\n    deferrable: true\n", settings("s"))
      + out,
    "1\n");
  EXPECT_EQ(done.out, "{\"i\":\"serializable\",\"r\":\"on\",\"d\":\"on\"}\n") << done.err;
  done = run_once(block("    isolation: repeatable read\n    per: batch\n", settings("s")) + out,
                  "1\n");
  EXPECT_EQ(done.out, "{\"i\":\"repeatable read\",\"r\":\"off\",\"d\":\"off\"}\n") << done.err;
  done = run_once(
    "  - {name: begin, type: database, operation: beginSql, isolation: serializable}\n"
    "  - {name: a, type: database, operation: executeSql, parameters: [], query: "
    "\"SELECT current_setting('transaction_isolation') AS i\"}\n"
    "  - {name: end, type: database, operation: commitSql}\n"
    "  - {name: out, type: stdout, value: \"$.a.rows[0].i\"}\n",
    "1\n");
  EXPECT_EQ(done.out, "\"serializable\"\n") << done.err;
}

// The sequence is not rolled back, so the function can count the attempts.
class RetryRunTest : public PostgresTransactionTest {
protected:
  void SetUp() override {
    PostgresTransactionTest::SetUp();
    if (IsSkipped())
      return;
    make("CREATE TABLE t (id INTEGER, attempt INTEGER)");
    make("CREATE SEQUENCE attempts");
    make("CREATE FUNCTION conflict_until(wanted integer) RETURNS integer LANGUAGE plpgsql AS $$\n"
         "DECLARE n integer := nextval('attempts');\n"
         "BEGIN\n"
         "  IF n < wanted THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF;\n"
         "  RETURN n;\n"
         "END $$");
  }

  Finished insert(const std::string& options, int least) {
    return run_once(
      block(options + "    onError: {then: deadLetter}\n",
            sql("first", "INSERT INTO t VALUES (?, 0)", "[\"$.in\"]")
              + sql("second",
                    "INSERT INTO t VALUES (?, conflict_until(" + std::to_string(least) + "))",
                    "[\"$.in\"]"))
        + "  - {name: out, type: stdout, value: \"$.in\"}\n",
      "7\n", "deadLetter: {type: file, operation: write, path: dead.jsonl}\n");
  }
};

TEST_F(RetryRunTest, TheWholeBlockRunsAgainAfterAConflict) {
  const auto done = insert("", 3);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "7\n");
  EXPECT_EQ(rows("SELECT id, attempt FROM t ORDER BY attempt"),
            R"([{"id":7,"attempt":0},{"id":7,"attempt":3}])");
}

TEST_F(RetryRunTest, AsOftenAsTheBlockSays) {
  const auto done = insert("    retry: {attempts: 5, base: 1ms, cap: 2ms}\n", 5);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(rows("SELECT max(attempt) AS attempt FROM t"), R"([{"attempt":5}])");
}

TEST_F(RetryRunTest, AndThenTheRecordFailsWithItsAttempts) {
  const auto done = insert("    retry: {attempts: 2, base: 1ms, cap: 2ms}\n", 5);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, Not(HasSubstr("7")));
  EXPECT_THAT(scratch_.read("dead.jsonl"), HasSubstr("40001"));
  EXPECT_THAT(scratch_.read("dead.jsonl"), HasSubstr("\"attempts\":2"));
  EXPECT_EQ(rows("SELECT id FROM t"), "[]");
}

}  // namespace
}  // namespace millrace::test
