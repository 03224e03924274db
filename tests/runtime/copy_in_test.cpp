// copyIn and executeBatch as a user writes them, over both drivers.
#include "tests/runtime/database_pipelines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace millrace::test {
namespace {

using testing::HasSubstr;

class CopyInTest : public DatabasePipelineTest {};

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i)
    text += "{\"id\":" + std::to_string(i) + ",\"name\":\"n" + std::to_string(i) + "\"}\n";
  return text;
}

constexpr const char* copy = "  - {name: load, type: database, operation: copyIn, table: t, "
                             "values: {id: \"$.in.id\", name: \"$.in.name\"}}\n";

TEST_P(CopyInTest, WritesEveryRecord) {
  sql("CREATE TABLE t (id INT PRIMARY KEY, name TEXT)");
  const auto done = run(std::string{"steps:\n  - {name: in, type: stdin}\n"} + copy
                          + "  - {type: drop}\n",
                        lines(0, 5000));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(sql("SELECT count(*) AS n, min(id) AS a, max(id) AS z FROM t"),
            "{\"n\":5000,\"a\":0,\"z\":4999}\n");
}

TEST_P(CopyInTest, TellsEachRecordHowManyRowsItWrote) {
  sql("CREATE TABLE t (id INT PRIMARY KEY, name TEXT)");
  const auto done = run("steps:\n  - {name: in, type: stdin}\n"
                        "  - {name: load, type: database, operation: copyIn, table: t, "
                        "rows: \"$.in.rows\", columns: [id, name]}\n"
                        "  - {type: stdout}\n",
                        "{\"rows\":[{\"id\":1,\"name\":\"a\"},[2,\"b\"]]}\n{\"rows\":[]}\n"
                        "{\"rows\":[{\"id\":3}]}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"rowcount\":2,\"command\":\"COPY 2\"}\n"
                      "{\"rowcount\":0,\"command\":\"COPY 0\"}\n"
                      "{\"rowcount\":1,\"command\":\"COPY 1\"}\n");
  EXPECT_EQ(sql("SELECT id, name FROM t ORDER BY id"),
            "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":\"b\"}\n{\"id\":3,\"name\":null}\n");
}

TEST_P(CopyInTest, OnlyTheGuiltyRecordsFailAndNoRowIsWrittenTwice) {
  sql("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, name TEXT CHECK (name <> 'bad'))");
  std::string input = lines(0, 100) + "{\"id\":7,\"name\":\"again\"}\n" + lines(100, 400)
                      + "{\"id\":1000,\"name\":\"bad\"}\n{\"name\":{\"no\":\"id\"}}\n"
                      + lines(400, 700);
  const auto done = run(std::string{"deadLetter: {type: file, operation: write, path: dead.jsonl}\n"
                                    "onError: {then: deadLetter}\n"
                                    "steps:\n  - {name: in, type: stdin}\n"}
                          + copy + "  - {type: drop}\n",
                        std::move(input));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(sql("SELECT count(*) AS n FROM t"), "{\"n\":700}\n");
  const auto dead = scratch_.read("dead.jsonl");
  EXPECT_EQ(std::ranges::count(dead, '\n'), 3) << dead;
  EXPECT_THAT(dead, HasSubstr("\"again\""));
  EXPECT_THAT(dead, HasSubstr("\"bad\""));
  EXPECT_THAT(dead, HasSubstr("23505"));
}

TEST_P(CopyInTest, RunsInTheTransactionOfItsRecord) {
  sql("CREATE TABLE t (id INT PRIMARY KEY, name TEXT)");
  const auto done = run(
    "onError: {then: skip}\n"
    "steps:\n  - {name: in, type: stdin}\n"
    "  - name: all\n    type: database\n    operation: transaction\n    steps:\n"
    "      - {name: load, type: database, operation: copyIn, table: t, rows: \"$.in.rows\", "
    "columns: [id]}\n"
    "      - {name: more, type: database, operation: executeSql, query: \"INSERT INTO t (id) "
    "VALUES (?)\", "
    "parameters: [\"$.in.last\"]}\n"
    "  - {type: drop}\n",
    "{\"rows\":[[1],[2]],\"last\":3}\n{\"rows\":[[4],[5]],\"last\":1}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(sql("SELECT count(*) AS n, max(id) AS z FROM t"), "{\"n\":3,\"z\":3}\n");
}

TEST_P(CopyInTest, ATableThatIsNotThereFailsAllAtOnce) {
  const auto done = run(std::string{"steps:\n  - {name: in, type: stdin}\n"} + copy
                          + "  - {type: drop}\n",
                        lines(0, 300));
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("load"));
}

TEST_P(CopyInTest, ABatchRunsItsStatementForEveryItem) {
  sql("CREATE TABLE t (id INT PRIMARY KEY, name TEXT)");
  const auto done = run(
    "onError: {then: skip}\n"
    "steps:\n  - {name: in, type: stdin}\n"
    "  - {name: all, type: database, operation: executeBatch, in: \"$.in.rows\", as: row, "
    "query: \"INSERT INTO t VALUES (?, ?)\", parameters: [\"$.row.id\", \"$.in.name\"], "
    "response: {n: \"$.rowcount\"}}\n"
    "  - {type: stdout}\n",
    "{\"name\":\"a\",\"rows\":[{\"id\":1},{\"id\":2}]}\n{\"name\":\"b\",\"rows\":[{\"id\":3},{"
    "\"id\":1}]}\n"
    "{\"name\":\"c\",\"rows\":[]}\n{\"name\":\"d\",\"rows\":[{\"id\":4}]}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"n\":2}\n{\"n\":0}\n{\"n\":1}\n");
  EXPECT_EQ(sql("SELECT id, name FROM t ORDER BY id"),
            "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":\"a\"}\n{\"id\":4,\"name\":\"d\"}\n");
}

TEST_P(CopyInTest, StreamedRowsFlowOnAsRecordsAndAreCopied) {
  sql("CREATE TABLE t (id INT PRIMARY KEY, name TEXT)");
  const auto done = run(
    "steps:\n  - {type: generate, count: 1}\n"
    "  - {name: rows, type: database, operation: executeSql, stream: true, query: \"WITH RECURSIVE "
    "n(i) AS "
    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n\", parameters: []}\n"
    "  - {name: load, type: database, operation: copyIn, table: t, values: {id: \"$.rows.i\", "
    "name: x}}\n"
    "  - {type: drop}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(sql("SELECT count(*) AS n, sum(id) AS s FROM t"), "{\"n\":20000,\"s\":200010000}\n");
}

TEST_P(CopyInTest, RowsCanFlowOnTogether) {
  const auto done = run(
    "steps:\n  - {name: in, type: stdin}\n"
    "  - {name: rows, type: database, operation: executeSql, stream: true, rowsPerRecord: 2, "
    "query: \"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i "
    "FROM n "
    "WHERE i <= ?\", parameters: [\"$.in\"]}\n"
    "  - {type: stdout}\n",
    "5\n0\n1\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"rows\":[{\"i\":1},{\"i\":2}],\"rowcount\":2}\n"
                      "{\"rows\":[{\"i\":3},{\"i\":4}],\"rowcount\":2}\n"
                      "{\"rows\":[{\"i\":5}],\"rowcount\":1}\n"
                      "{\"rows\":[{\"i\":1}],\"rowcount\":1}\n");
}

TEST_P(CopyInTest, AStreamThatFailsOnItsWayIsToldOnceBehindItsRows) {
  if (!is_postgres())
    GTEST_SKIP() << "SQLite does not divide by zero";
  const auto done = run(
    "deadLetter: {type: file, operation: write, path: dead.jsonl}\nonError: {then: deadLetter}\n"
    "steps:\n  - {type: generate, count: 1}\n"
    "  - {name: rows, type: database, operation: executeSql, stream: true, "
    "query: \"SELECT 1 / (i - 1000) AS x FROM generate_series(1, 2000) i\", parameters: []}\n"
    "  - {type: stdout}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(std::ranges::count(done.out, '\n'), 999);
  const auto dead = scratch_.read("dead.jsonl");
  EXPECT_EQ(std::ranges::count(dead, '\n'), 1) << dead;
  EXPECT_THAT(dead, HasSubstr("after 999 records had gone on"));
}

INSTANTIATE_TEST_SUITE_P(Drivers, CopyInTest, testing::Values("sqlite", "postgres"),
                         [](const auto& driver) { return driver.param; });

}  // namespace
}  // namespace millrace::test
