#include "connectors/sdk/sql/classify.hpp"
#include "dsl/sql/set_form.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::dsl {
namespace {

using sdk::sql::single_statement;
using sdk::sql::tokenize;

Joinable examine(std::string_view sql) {
  const auto tokens = tokenize(sql);
  const auto statement = single_statement(sql, *tokens);
  EXPECT_TRUE(statement) << sql;
  return examine_joinable(*statement);
}

std::string set_form(std::string_view sql, const std::vector<std::string>& types) {
  const auto tokens = tokenize(sql);
  const auto statement = single_statement(sql, *tokens);
  return write_set_form(*statement, examine_joinable(*statement), types);
}

TEST(JoinableTest, JoinsOnlyStatementsOfTheList) {
  EXPECT_EQ(examine("SELECT a FROM t WHERE id = $1").refusal, "");
  EXPECT_EQ(examine("/* x */ ((VALUES ($1)))").refusal, "");
  EXPECT_EQ(examine("TABLE t").refusal, "");
  EXPECT_EQ(examine("WITH a AS (SELECT 1) SELECT * FROM a").refusal, "");
  EXPECT_EQ(examine("DELETE FROM t WHERE id = $1").refusal, "");
  for (const auto* sql :
       {"CALL p()", "DO $$ $$", "SET a = 1", "LISTEN x", "EXPLAIN SELECT 1", "SHOW a", "TRUNCATE t",
        "SELECT 1 INTO x", "CREATE TABLE t ()", "COMMIT", "SELECT 1 FOR NO KEY UPDATE",
        "SELECT a FROM t FOR SHARE", "SELECT a ? 'b' FROM t", "SELECT U&\"a\" FROM t"})
    EXPECT_NE(examine(sql).refusal, "") << sql;
}

TEST(JoinableTest, CollectsTheNamesAsTheCatalogSpellsThem) {
  const auto words = examine(
    "SELECT Lower(\"Ab\"\"c\"), a.B OPERATOR(s.@@) b FROM a WHERE x <-> y");
  const std::vector<std::string> names{"select", "lower", "Ab\"c", "a", "b", "operator",
                                       "s",      "from",  "where", "x", "y"};
  EXPECT_EQ(words.names, names);
  EXPECT_EQ(words.operators, (std::vector<std::string>{"@@", "<->"}));
}

TEST(JoinableTest, TellsWhatIsNotOneStatementForManySets) {
  EXPECT_EQ(examine("SELECT a FROM t WHERE id = $1").set_form, SetFormKind::select);
  EXPECT_EQ(examine("SELECT $1::int AS a, f($2) FROM t").set_form, SetFormKind::select);
  EXPECT_EQ(examine("INSERT INTO t VALUES ($1, now(), 'x'::text, -1, NULL)").set_form,
            SetFormKind::insert);
  EXPECT_EQ(
    examine("INSERT INTO s.t AS a (b, c) OVERRIDING SYSTEM VALUE VALUES ($1::int[], DEFAULT)")
      .set_form,
    SetFormKind::insert);
  for (const auto* sql :
       {"SELECT 1", "SELECT $1", "SELECT a, $1::numeric(3, 1) FROM t", "SELECT (($1)::int) FROM t",
        "SELECT to_json(s) FROM (SELECT DISTINCT $1, b FROM t) s", "UPDATE t SET a = $1",
        "WITH x AS (INSERT INTO t VALUES ($1) RETURNING *) SELECT * FROM x",
        "SELECT a FROM t TABLESAMPLE system (1) WHERE b = $1", "INSERT INTO t VALUES ($1), ($2)",
        "INSERT INTO t VALUES ((SELECT max(a) + 1 FROM t), $1)", "INSERT INTO t VALUES ($1 + 1)",
        "INSERT INTO t VALUES ($1) RETURNING a", "INSERT INTO t VALUES ($1) ON CONFLICT DO NOTHING",
        "INSERT INTO t SELECT $1", "INSERT INTO t (a[1]) VALUES ($1)",
        "INSERT INTO t VALUES ($1, DEFAULT)", "INSERT INTO t (a) VALUES ($1, 2)",
        "INSERT INTO t VALUES ($1, random())"})
    EXPECT_EQ(examine(sql).set_form, SetFormKind::none) << sql;
}

// What a column is called must not differ in set form.
TEST(JoinableTest, LeavesAParameterAloneThatGivesItsColumnAName) {
  for (const auto* sql :
       {"SELECT $1::int LIMIT 1", "SELECT $1::int OFFSET 1", "SELECT $1 FETCH FIRST ROW ONLY",
        "SELECT $1::text COLLATE \"C\" FROM t", "SELECT ($1::jsonb)['k'] FROM t",
        "SELECT (($1::jsonb)['k']['l']) FROM t", "SELECT DISTINCT ON (a, f(b)) $1::int FROM t",
        "SELECT a IS DISTINCT FROM b, $1::int FROM t",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), $1::int FROM t",
        "SELECT CASE WHEN a THEN b ELSE $1 END FROM t",
        "SELECT (CASE a WHEN 1 THEN b ELSE ($1::int) END) FROM t",
        "SELECT $1::timestamp(3) with time zone FROM t", "SELECT $1::s.kind[] FROM t",
        "SELECT $1::double precision WINDOW w AS ()", "SELECT a, (SELECT $1::int) FROM t"})
    EXPECT_EQ(examine(sql).set_form, SetFormKind::none) << sql;
  for (const auto* sql :
       {"SELECT $1::int a FROM t", "SELECT $1::timestamp with time zone AS at LIMIT 1",
        "SELECT $1::int + 1 FROM t", "SELECT a FROM t WHERE b = $1::int LIMIT 3",
        "SELECT CASE WHEN $1 THEN a ELSE b END FROM t", "SELECT f($1, $2), ARRAY[$3] FROM t",
        "SELECT a FROM t WHERE b IN ($1, $2) AND c = CASE WHEN d THEN e ELSE $3 END",
        "SELECT a FROM t ORDER BY b COLLATE \"C\" OFFSET 2 + $1"})
    EXPECT_EQ(examine(sql).set_form, SetFormKind::select) << sql;
}

TEST(JoinableTest, KnowsReadsAndOrder) {
  EXPECT_TRUE(examine("SELECT a FROM t ORDER BY a").reads);
  EXPECT_TRUE(examine("SELECT a FROM t ORDER BY a").ordered);
  EXPECT_FALSE(examine("UPDATE t SET a = 1").reads);
  EXPECT_FALSE(examine("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x").reads);
}

TEST(SetFormTest, WritesASelectWithItsParametersAsColumns) {
  EXPECT_EQ(set_form("SELECT a FROM t WHERE b=$1AND c IN ($2, $1) -- $3", {"integer", "s.\"E\""}),
            "SELECT mrx.mri, mrq.* FROM ROWS FROM (pg_catalog.unnest($1::integer[]), "
            "pg_catalog.unnest($2::s.\"E\"[])) WITH ORDINALITY AS mrx(mrp1, mrp2, mri) CROSS JOIN "
            "LATERAL (SELECT mrs.* FROM (SELECT a FROM t WHERE b= mrx.mrp1 AND c IN ( mrx.mrp2 ,  "
            "mrx.mrp1 ) -- $3\n) mrs OFFSET 0) mrq");
}

TEST(SetFormTest, NamesNothingAsTheStatementDoes) {
  const auto text = set_form("SELECT mri, mrx FROM mr_ WHERE id = $1", {"integer"});
  EXPECT_NE(text.find(" mr__x.mr__p1 "), std::string::npos) << text;
}

TEST(SetFormTest, NumbersTheRowsOfAnOrderedStatement) {
  EXPECT_NE(set_form("SELECT a FROM t WHERE b = $1 ORDER BY a", {"text"})
              .find("(SELECT pg_catalog.row_number() OVER () AS mrn, mrs.* FROM ("),
            std::string::npos);
}

TEST(SetFormTest, WritesAnInsertWithItsGuard) {
  EXPECT_EQ(set_form("INSERT INTO t (a, b, c) VALUES ($1, DEFAULT, $2::numeric(4,1))",
                     {"integer", "numeric"}),
            "WITH mrw AS (INSERT INTO t (a, c) SELECT  mrx.mrp1 ,  mrx.mrp2  :: numeric ( 4 , 1 ) "
            "FROM ROWS FROM (pg_catalog.unnest($1::integer[]), pg_catalog.unnest($2::numeric[])) "
            "WITH ORDINALITY AS mrx(mrp1, mrp2, mri) ORDER BY mrx.mri RETURNING 1) SELECT 1 / "
            "(pg_catalog.count(*) = $3::bigint)::integer FROM mrw");
}

TEST(SetFormTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(set_form("SELECT a FROM t WHERE b = $1", {}), "");
  EXPECT_EQ(set_form("SELECT a FROM t WHERE b = $2", {"integer"}), "");
  EXPECT_EQ(set_form("UPDATE t SET a = $1", {"integer"}), "");
}

}  // namespace
}  // namespace millrace::dsl
