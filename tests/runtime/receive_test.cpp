// `{type: database, operation: receive}` as a user runs it: rows behind a mark, notifications, and
// what is left of both when the process or the server dies.
#include "tests/runtime/database_pipelines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>
#include <string>

namespace millrace::test {
namespace {

using testing::HasSubstr;

class ReceiveTest : public DatabasePipelineTest {
protected:
  void make_rows(int from, int to) {
    sql("INSERT INTO t (id) WITH RECURSIVE n(i) AS (SELECT " + std::to_string(from)
        + " UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(to) + ") SELECT i FROM n");
  }
};

std::string source(const std::string& more) {
  return "steps:\n  - {name: new, type: database, operation: receive, query: \"SELECT id FROM t "
         "WHERE id > "
         ":mark ORDER BY id LIMIT :limit\", mark: {column: id, initial: 0}, every: 20ms"
         + more + "}\n";
}

constexpr const char* out = "  - {type: stdout}\n";

TEST_P(ReceiveTest, GivesTheRowsBehindTheMarkInOrder) {
  sql("CREATE TABLE t (id INT PRIMARY KEY)");
  make_rows(1, 2500);
  const auto done = run(source(", limit: 100") + out);
  EXPECT_EQ(done.code, 0) << done.err;
  std::string wanted;
  for (int i = 1; i <= 2500; ++i)
    wanted += "{\"id\":" + std::to_string(i) + "}\n";
  EXPECT_EQ(done.out, wanted);
}

TEST_P(ReceiveTest, GoesOnBehindWhatHasSettled) {
  sql("CREATE TABLE t (id INT PRIMARY KEY)");
  make_rows(1, 3);
  const auto steps = source(", markTable: marks") + out;
  EXPECT_EQ(run(steps).out, "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
  EXPECT_EQ(run(steps).out, "");
  make_rows(4, 5);
  EXPECT_EQ(run(steps).out, "{\"id\":4}\n{\"id\":5}\n");
  EXPECT_EQ(sql("SELECT pipeline, source, mark FROM marks"),
            "{\"pipeline\":\"trial\",\"source\":\"new\",\"mark\":\"5\"}\n");
}

TEST_P(ReceiveTest, WaitsForNewRowsAndDrainsOnSigterm) {
  sql("CREATE TABLE t (id INT PRIMARY KEY)");
  make_rows(1, 1);
  Process process{launch(source(", markTable: marks") + out, {})};
  ASSERT_TRUE(process.wait_for("{\"id\":1}\n")) << process.err();
  make_rows(2, 2);
  ASSERT_TRUE(process.wait_for("{\"id\":2}\n")) << process.err();
  process.signal(SIGTERM);
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(sql("SELECT mark FROM marks"), "{\"mark\":\"2\"}\n");
}

TEST_P(ReceiveTest, LosesNoRowWhenTheProcessIsKilled) {
  sql("CREATE TABLE t (id INT PRIMARY KEY)");
  sql("CREATE TABLE seen (id INT)");
  make_rows(1, 3000);
  const auto steps = source(", markTable: marks, limit: 50")
                     + "  - {name: store, type: database, operation: insert, table: seen, values: "
                       "{id: \"$.new.id\"}}\n"
                     + out;
  for (const char* at : {"\"rowcount\":1", "\"rowcount\":1"}) {
    Process process{launch(steps, {})};
    ASSERT_TRUE(process.wait_for(at)) << process.err();
    process.signal(SIGKILL);
    process.wait();
  }
  const auto done = run(steps);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(sql("SELECT count(DISTINCT id) AS n, min(id) AS a, max(id) AS z FROM seen"),
            "{\"n\":3000,\"a\":1,\"z\":3000}\n");
}

TEST_P(ReceiveTest, RowsOfOneMarkAreNotTornApart) {
  sql("CREATE TABLE t (id INT, part INT)");
  sql("INSERT INTO t VALUES (1, 1), (2, 1), (2, 2), (2, 3), (3, 1)");
  const auto done = run(
    "steps:\n  - {name: new, type: database, operation: receive, query: \"SELECT id, part FROM t "
    "WHERE id > "
    ":mark ORDER BY id, part LIMIT :limit\", mark: {column: ID, initial: 0}, limit: 3}\n"
    "  - {type: stdout, value: \"$.new.part\"}\n");
  EXPECT_NE(done.code, 0);  // three rows of mark 2, and a limit of three
  EXPECT_THAT(done.err, HasSubstr("have the same mark"));
  EXPECT_EQ(done.out, "1\n");
}

TEST_P(ReceiveTest, RefusesAQueryThatComesBackToItsMark) {
  sql("CREATE TABLE t (id INT)");
  sql("INSERT INTO t VALUES (1)");
  const auto done = run("steps:\n  - {name: new, type: database, operation: receive, query: "
                        "\"SELECT id FROM t WHERE id >= ?\", "
                        "mark: {column: id, initial: 0}}\n  - {type: stdout}\n");
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("do not rise above the mark"));
}

TEST_P(ReceiveTest, HearsNotifications) {
  if (!is_postgres())
    GTEST_SKIP() << "SQLite has no LISTEN";
  Process process{
    launch("steps:\n  - {name: heard, type: database, operation: receive, listen: [news, "
           "Sport], payload: json}\n"
           "  - {type: stdout, value: [\"$.heard.channel\", \"$.heard.payload\"]}\n",
           {})};
  ASSERT_TRUE(process.wait_for("listening")) << process.err();
  sql("SELECT pg_notify('news', json_build_object('n', 1)::text), pg_notify('Sport', '[2]')");
  ASSERT_TRUE(process.wait_for("[\"Sport\",[2]]\n")) << process.err();
  process.signal(SIGTERM);
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "[\"news\",{\"n\":1}]\n[\"Sport\",[2]]\n");
}

TEST_P(ReceiveTest, ListensAgainWhenItsConnectionWasLostAndSaysSo) {
  if (!is_postgres())
    GTEST_SKIP() << "SQLite has no LISTEN";
  Process process{
    launch("steps:\n  - {name: heard, type: database, operation: receive, listen: news, "
           "reconnectRecord: true}\n  - {type: stdout}\n",
           {})};
  ASSERT_TRUE(process.wait_for("listening")) << process.err();
  sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> "
    "pg_backend_pid()");
  ASSERT_TRUE(process.wait_for("{\"reconnected\":true}\n")) << process.err();
  sql("SELECT pg_notify('news', 'after')");
  ASSERT_TRUE(process.wait_for("\"payload\":\"after\"")) << process.err();
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
}

TEST_P(ReceiveTest, ANotificationAsksForRowsAtOnce) {
  if (!is_postgres())
    GTEST_SKIP() << "SQLite has no LISTEN";
  sql("CREATE TABLE t (id INT PRIMARY KEY)");
  Process process{
    launch("steps:\n  - {name: new, type: database, operation: receive, query: \"SELECT id FROM "
           "t WHERE id > ? ORDER BY id\", mark: {column: id, initial: 0}, every: 1h, "
           "listen: t, markTable: marks}\n  - {type: stdout}\n",
           {})};
  ASSERT_TRUE(process.wait_for("pipeline started")) << process.err();
  for (int i = 1; i <= 3; ++i) {
    make_rows(i, i);
    sql("SELECT pg_notify('t', '')");
    ASSERT_TRUE(process.wait_for("{\"id\":" + std::to_string(i) + "}\n")) << process.err();
  }
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
}

INSTANTIATE_TEST_SUITE_P(Drivers, ReceiveTest, testing::Values("sqlite", "postgres"),
                         [](const auto& driver) { return driver.param; });

}  // namespace
}  // namespace millrace::test
