#include "connectors/sdk/sql/classify.hpp"
#include "connectors/sdk/sql/placeholder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::sdk::sql {
namespace {

Classification of(std::string_view sql) {
  const auto statement = parse_statement(sql);
  if (!statement) {
    ADD_FAILURE() << statement.error().to_string() << " in " << sql;
    return {};
  }
  return statement->classification;
}

TEST(ClassifyTest, TellsTheKindByTheFirstWord) {
  EXPECT_EQ(of("/* a */ (((select 1)))").kind, StatementKind::query);
  EXPECT_EQ(of("insert into t values (1)").kind, StatementKind::update);
  EXPECT_EQ(of("CREATE TABLE t (a int)").kind, StatementKind::ddl);
  EXPECT_EQ(of("-- x\nBEGIN").kind, StatementKind::transaction);
  EXPECT_EQ(of("PREPARE TRANSACTION 'x'").kind, StatementKind::transaction);
  EXPECT_EQ(of("PREPARE x AS SELECT 1").kind, StatementKind::session);
  EXPECT_EQ(of("CALL f()").kind, StatementKind::other);
  EXPECT_EQ(of("'select'").kind, StatementKind::other);
  EXPECT_EQ(of("select 1").keyword, "SELECT");
}

TEST(ClassifyTest, LooksBehindWith) {
  EXPECT_EQ(of("WITH x AS (SELECT 1) SELECT * FROM x").kind, StatementKind::query);
  EXPECT_EQ(of("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x").kind, StatementKind::update);
  EXPECT_EQ(of("WITH update AS (SELECT 1), delete(a) AS (SELECT 2) SELECT 1").kind,
            StatementKind::query);
  const auto modifying = of(
    "WITH x AS NOT MATERIALIZED (DELETE FROM t RETURNING *) SELECT * FROM x");
  EXPECT_EQ(modifying.kind, StatementKind::update);
  EXPECT_TRUE(modifying.modifying_cte);
  EXPECT_TRUE(modifying.returns_rows);
  EXPECT_FALSE(modifying.read_only);
}

TEST(ClassifyTest, TellsWhatReturnsRows) {
  EXPECT_TRUE(of("VALUES (1)").returns_rows);
  EXPECT_FALSE(of("UPDATE t SET a = 1").returns_rows);
  EXPECT_TRUE(of("UPDATE t SET a = 1 RETURNING a").returns_rows);
  EXPECT_FALSE(of("INSERT INTO t SELECT \"RETURNING\" FROM x WHERE a = 'RETURNING'").returns_rows);
  EXPECT_FALSE(of("SELECT 1 INTO t").returns_rows);
}

TEST(ClassifyTest, TellsWhatOnlyReads) {
  EXPECT_TRUE(of("SELECT 1").read_only);
  EXPECT_TRUE(of("EXPLAIN DELETE FROM t").read_only);
  EXPECT_FALSE(of("EXPLAIN (VERBOSE, ANALYZE) DELETE FROM t").read_only);
  EXPECT_FALSE(of("SELECT * FROM t FOR NO KEY UPDATE").read_only);
  EXPECT_TRUE(of("SELECT * FROM (SELECT * FROM t FOR SHARE) x").locks_rows);
  EXPECT_FALSE(of("SELECT substring(a FOR 3)").locks_rows);
  EXPECT_FALSE(of("SELECT 1 INTO t").read_only);
}

TEST(ClassifyTest, KeepsTransactionControlAndSessionStateOffTheSharedLane) {
  for (const auto* sql : {"BEGIN",
                          "START TRANSACTION",
                          "COMMIT",
                          "END",
                          "ROLLBACK TO a",
                          "ABORT",
                          "SAVEPOINT a",
                          "RELEASE a",
                          "PREPARE TRANSACTION 'a'",
                          "EXECUTE a",
                          "DEALLOCATE a",
                          "DECLARE a CURSOR FOR SELECT 1",
                          "FETCH a",
                          "MOVE a",
                          "CLOSE a",
                          "SET a = 1",
                          "RESET a",
                          "DISCARD ALL",
                          "LISTEN a",
                          "UNLISTEN *",
                          "COPY t FROM STDIN",
                          "LOCK t",
                          "LOAD 'a'",
                          "CREATE TEMP TABLE a (b int)",
                          "CREATE OR REPLACE TEMPORARY VIEW a AS SELECT 1",
                          "CREATE LOCAL TEMP TABLE a (b int)",
                          "CREATE TABLE pg_temp.a (b int)",
                          "SELECT 1 INTO TEMP a",
                          "SELECT 1 INTO pg_temp.a",
                          "/* x */ -- y\n begin",
                          "PRAGMA a = 1",
                          "ATTACH 'x' AS y"})
    EXPECT_FALSE(of(sql).lane_refusal.empty()) << sql;
  for (const auto* sql : {"SELECT 1", "UPDATE t SET a = 1", "CREATE TABLE t (temp int)", "CALL p()",
                          "SELECT a INTO b FROM t", "VACUUM", "NOTIFY a", "DO $$ BEGIN END $$"})
    EXPECT_TRUE(of(sql).lane_refusal.empty()) << sql;
}

TEST(ClassifyTest, SplitsAScript) {
  const std::string script =
    "CREATE TABLE a (b int); -- ;\n INSERT INTO a VALUES (';');\n;; SELECT 1";
  const auto all = split_statements(script);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ(all->at(0), "CREATE TABLE a (b int)");
  EXPECT_EQ(all->at(1), "-- ;\n INSERT INTO a VALUES (';')");
  EXPECT_EQ(all->at(2), "SELECT 1");
  EXPECT_TRUE(split_statements(" ; -- x")->empty());
  EXPECT_FALSE(split_statements("SELECT '"));
}

TEST(ClassifyTest, KeepsSemicolonsInBodiesTogether) {
  for (const std::string one :
       {"CREATE TRIGGER t AFTER UPDATE ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; DELETE "
        "FROM d; END",
        "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)"}) {
    const auto script = one + "; SELECT 1";
    const auto all = split_statements(script);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2u) << one;
    EXPECT_EQ(all->front(), one);
  }
  EXPECT_EQ(split_statements("BEGIN; CREATE TABLE a (b int); END; SELECT 1")->size(), 4u);
}

}  // namespace
}  // namespace millrace::sdk::sql
