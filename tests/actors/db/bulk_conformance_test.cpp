// Rows in bulk, over both drivers.
#include "connectors/sdk/bulk.hpp"
#include "tests/actors/db/conformance.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using sdk::Value;

class BulkConformanceTest : public ConformanceTest {
protected:
  sdk::Result<sdk::SqlResult> copy(const SessionHandle& session, const std::string& table,
                                   std::vector<std::string> columns,
                                   std::vector<sdk::Parameters> rows) {
    const auto count = rows.size();
    sdk::Statement statement{.sql = "COPY " + table};
    statement.bulk = std::make_shared<const sdk::BulkRows>(sdk::BulkRows{
      table, std::move(columns),
      std::make_shared<const std::vector<sdk::Parameters>>(std::move(rows)), 0, count});
    Awaited<ExecuteReply> reply;
    session.execute(std::move(statement), reply.callback());
    return std::move(reply.get().results.front());
  }

  SessionHandle begin(sdk::TransactionOptions options = {}) {
    auto session = pool().begin(options);
    EXPECT_TRUE(session) << session.error().to_string();
    return *session;
  }
};

TEST_P(BulkConformanceTest, WritesRowsAllTogether) {
  make("CREATE TABLE t (id INT PRIMARY KEY, name TEXT)");
  std::vector<sdk::Parameters> rows;
  for (int i = 0; i < 3000; ++i)
    rows.push_back({Value{i}, i % 2 == 0 ? Value{"name\t" + std::to_string(i)} : Value{}});
  const auto session = begin();
  const auto copied = copy(session, "t", {"id", "name"}, std::move(rows));
  ASSERT_TRUE(copied) << copied.error().to_string();
  EXPECT_EQ(copied->rowcount, 3000);
  EXPECT_EQ(copied->command, "COPY 3000");
  ASSERT_TRUE(commit(session));
  EXPECT_EQ(count("t"), 3000);
  const auto row = pool().rows("SELECT name FROM t WHERE id IN (7, 8) ORDER BY id");
  EXPECT_TRUE(row.items()[0].find("name")->is_null());
  EXPECT_EQ(row.items()[1].find("name")->as_string(), "name\t8");
}

TEST_P(BulkConformanceTest, WritesNothingWhereOneRowIsRefused) {
  make("CREATE TABLE t (id INT PRIMARY KEY)");
  const auto session = begin();
  const auto copied = copy(session, "t", {"id"}, {{Value{1}}, {Value{2}}, {Value{1}}});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), "23505");
  const auto after = run(session, "SELECT 1");
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code(), "25P02");
  ASSERT_TRUE(rollback(session));
  EXPECT_EQ(count("t"), 0);
}

TEST_P(BulkConformanceTest, StandsBetweenOtherStatementsOfItsTransaction) {
  make("CREATE TABLE t (id INT PRIMARY KEY)");
  const auto session = begin();
  ASSERT_TRUE(run(session, "INSERT INTO t VALUES ($1)", {Value{1}}));
  ASSERT_TRUE(copy(session, "t", {"id"}, {{Value{2}}, {Value{3}}}));
  const auto seen = run(session, "SELECT count(*) AS n FROM t");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->rows.items()[0].find("n")->as_integer(), 3);
  ASSERT_TRUE(copy(session, "t", {"id"}, {{Value{4}}}));
  ASSERT_TRUE(rollback(session));
  EXPECT_EQ(count("t"), 0);
}

TEST_P(BulkConformanceTest, RefusesATableThatIsNotThereAndGoesOn) {
  make("CREATE TABLE t (id INT PRIMARY KEY)");
  const auto session = begin();
  const auto copied = copy(session, "nowhere", {"id"}, {{Value{1}}});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().kind(), sdk::ErrorKind::execution);
  ASSERT_TRUE(rollback(session));
  EXPECT_EQ(count("t"), 0);
}

TEST_P(BulkConformanceTest, RefusesRowsOutsideOfATransaction) {
  make("CREATE TABLE t (id INT PRIMARY KEY)");
  const auto session = begin({.plain = true});
  const auto copied = copy(session, "t", {"id"}, {{Value{1}}});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), "25P01");
  EXPECT_EQ(count("t"), 0);
}

TEST_P(BulkConformanceTest, GivesAPlainSessionWhoseStatementsStay) {
  make("CREATE TABLE t (id INT PRIMARY KEY)");
  {
    const auto session = begin({.plain = true});
    ASSERT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
  }
  EXPECT_EQ(count("t"), 1);
}

INSTANTIATE_TEST_SUITE_P(Drivers, BulkConformanceTest, testing::Values("sqlite", "postgres"),
                         [](const auto& driver) { return driver.param; });

}  // namespace
}  // namespace millrace::actors
