// What PostgreSQL's wire sends and keeps where a statement does not fit, is stale, or is one too
// many.
#include "tests/actors/db/postgres_fixture.hpp"

namespace millrace::actors {
namespace {

using sdk::Value;

class PostgresWireTest : public PostgresTest {
protected:
  void prepare() override {
    case_.settings.pool.max_size = 1;
    open();
    make_table(*pool_, "w", "id INTEGER, name TEXT");
  }

  std::int64_t rows_in_w() { return integer(*pool_, "SELECT count(*) AS n FROM w"); }
};

TEST_F(PostgresWireTest, NeverSendsAFirstStatementWhoseParametersDoNotFit) {
  const std::string insert = "INSERT INTO w VALUES ($1, $2)";
  ASSERT_TRUE(pool_->run(insert, {Value{1}, Value{"kept"}}));
  const auto session = pool_->begin();
  ASSERT_TRUE(session);

  const auto refused = run(*session, insert, {Value{2}, Value{std::string{"a\0b", 3}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "22021") << refused.error().to_string();
  const auto committed = commit(*session);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), "25P02") << committed.error().to_string();

  EXPECT_EQ(rows_in_w(), 1);
  const auto next = pool_->begin();
  ASSERT_TRUE(next);
  EXPECT_EQ(run(*next, insert, {Value{3}}).error().code(), "07001");
  EXPECT_TRUE(rollback(*next));
  EXPECT_EQ(rows_in_w(), 1);
}

TEST_F(PostgresWireTest, PreparesAStaleStatementAnewAfterTheTransactionThatMetIt) {
  const std::string find = "SELECT * FROM w WHERE id = $1";
  EXPECT_EQ(pool_->rows(find, {Value{1}}).size(), 0U);
  ASSERT_TRUE(pool_->run("ALTER TABLE w ADD COLUMN more INTEGER"));
  {
    const auto session = pool_->begin();
    ASSERT_TRUE(session);
    const auto stale = run(*session, find, {Value{1}});
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().code(), "0A000");
    EXPECT_TRUE(rollback(*session));
  }
  const auto session = pool_->begin();
  ASSERT_TRUE(session);
  const auto found = run(*session, find, {Value{1}});
  EXPECT_TRUE(found) << found.error().to_string();
  EXPECT_TRUE(commit(*session));
}

TEST_F(PostgresWireTest, RunsABatchOfMoreStatementsThanItKeepsPrepared) {
  case_.settings.statement_cache = 2;
  open();
  constexpr int statements = 5;
  std::vector<sdk::Statement> batch;
  batch.reserve(statements);
  for (int i = 0; i < statements; ++i)
    batch.push_back({.sql = "INSERT INTO w VALUES ($1, 'n" + std::to_string(i) + "')",
                     .sets = {{Value{i}}, {Value{i + 100}}}});
  Awaited<ExecuteReply> reply;
  pool_->handle().execute_batch(std::move(batch), reply.callback());

  for (const auto& result : reply.get().results)
    EXPECT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(rows_in_w(), 10);
}

TEST_F(PostgresWireTest, KeepsTheValuesOfParametersOutOfItsErrors) {
  const auto message = [this](const std::string& type, const std::string& value) {
    const auto failed = pool_->run("SELECT $1::" + type + " AS x", {Value{value}});
    EXPECT_FALSE(failed) << type;
    return failed ? std::string{} : failed.error().to_string();
  };

  EXPECT_EQ(message("integer", "planted").find("planted"), std::string::npos);
  EXPECT_NE(message("integer", "planted").find("invalid input syntax for type integer"),
            std::string::npos);
  EXPECT_EQ(message("integer", "98765432109876").find("98765432109876"), std::string::npos);
  EXPECT_EQ(message("date", "2026-99-99").find("2026-99"), std::string::npos);
  EXPECT_EQ(message("double precision", "1e999").find("1e999"), std::string::npos);
  EXPECT_EQ(message("uuid", "pl\"an\"ted").find("ted"), std::string::npos);
  EXPECT_EQ(message("integer[]", "planted").find("planted"), std::string::npos);
  // What is no matter of data all the same: names that are looked up, queries of a search.
  for (const std::string type :
       {"regclass", "regtype", "regrole", "regproc", "regprocedure", "regnamespace", "regconfig",
        "regoper", "jsonpath", "tsquery", "xml", "interval", "int4range"})
    EXPECT_EQ(message(type, "\"plan ted\" (planted ! & <").find("plan"), std::string::npos) << type;
  EXPECT_EQ(message("regclass", "planted"), "execution 42P01: relation \"…\" does not exist");
  EXPECT_EQ(message("regclass", "planted.one").find("planted"), std::string::npos);
}

}  // namespace
}  // namespace millrace::actors
