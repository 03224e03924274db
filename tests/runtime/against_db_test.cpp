// `millrace validate --against-db`: the servers are asked what they make of the statements.
#include "tests/runtime/millrace.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::test {
namespace {

using testing::HasSubstr;

class AgainstDbTest : public testing::Test {
protected:
  /// A file whose only statement is that; its step stands in line 5, column 5.
  std::string file(const std::string& url, const std::string& step) {
    return scratch_.write("p.yaml", "name: p\nservers: {db: {url: '" + url
                                      + "'}}\nsteps:\n"
                                        "  - {name: in, type: generate, count: 1, set: {id: 1}}\n"
                                        "  - {name: q, type: database, server: db, "
                                      + step + "}\n");
  }

  Finished validate(const std::string& file) {
    return millrace({"validate", "--against-db", file});
  }

  Scratch scratch_;
};

class AgainstSqliteTest : public AgainstDbTest {
protected:
  AgainstSqliteTest() {
    const auto made = millrace(
      {"run", "--once",
       scratch_.write("make.yaml", "name: make\nservers: {db: {url: '" + url_
                                     + "', init: 'CREATE TABLE t (id INTEGER, name TEXT)'}}\n"
                                       "steps:\n  - {name: in, type: generate, count: 1}\n"
                                       "  - {name: q, type: database, operation: executeSql, "
                                       "server: db, query: SELECT 1, parameters: []}\n")});
    EXPECT_EQ(made.code, 0) << made.err;
  }

  std::string url_ = "sqlite:///" + scratch_.path("t.db");
};

TEST_F(AgainstSqliteTest, SaysThatAllIsWell) {
  const auto done = validate(file(url_, "operation: executeSql, query: 'SELECT name FROM t WHERE "
                                        "id = ?', parameters: [$.in.id], response: {who: "
                                        "'$.rows[0].NAME'}"));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "ok: 1 pipeline, 1 server, 1 statement asked about\n");
}

TEST_F(AgainstSqliteTest, NamesATableThatIsNotThere) {
  const auto path = file(url_, "operation: executeSql, query: SELECT 1 FROM nowhere, "
                               "parameters: []");
  const auto done = validate(path);
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr(path + ":5:5: error: step 'q' on server 'db': "));
  EXPECT_THAT(done.err, HasSubstr("nowhere"));
}

TEST_F(AgainstSqliteTest, NamesAColumnThatTheResponseTakesAndTheQueryDoesNotGive) {
  const auto done = validate(file(url_, "operation: executeSql, query: SELECT id FROM t, "
                                        "parameters: [], response: {who: '$.rows[0].name'}"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("the response's 'who' takes column 'name', which the query does "
                                  "not give"));
  EXPECT_THAT(done.err, HasSubstr("it gives id ("));
}

TEST_F(AgainstSqliteTest, RunsNothing) {
  const auto insert = file(url_, "operation: insert, table: t, values: {id: 1, name: x}");
  EXPECT_EQ(validate(insert).code, 0);
  const auto count = millrace(
    {"run", "--once",
     file(url_, "operation: executeSql, query: SELECT COUNT(*) AS n FROM t, "
                "parameters: [], response: {n: '$.rows[0].n'}")});
  EXPECT_EQ(count.code, 0) << count.err;
  scratch_.append("p.yaml", "  - {type: stdout}\n");
  EXPECT_EQ(millrace({"run", "--once", scratch_.path("p.yaml")}).out, "{\"n\":0}\n");
}

TEST_F(AgainstDbTest, SaysWhichServerCannotBeAsked) {
  const auto done = validate(file("postgresql://nobody@127.0.0.1:1/none",
                                  "operation: executeSql, query: SELECT 1, parameters: []"));
  EXPECT_EQ(done.code, 69);
  EXPECT_THAT(done.err, HasSubstr("server 'db' cannot be asked"));
}

class AgainstPostgresTest : public AgainstDbTest {
protected:
  void SetUp() override {
    const auto* server = PostgresServer::shared();
    if (server == nullptr)
      GTEST_SKIP() << PostgresServer::why_not();
    url_ = "postgresql:///" + server->dbname() + "?host=" + server->host()
           + "&port=" + std::to_string(server->port()) + "&user=" + server->user();
  }

  std::string url_;
};

TEST_F(AgainstPostgresTest, FindsTypesThatClash) {
  const auto done = validate(file(url_, "operation: executeSql, query: 'SELECT 1 AS n WHERE "
                                        "CAST(? AS int) = 1', parameters: [x1]"));
  EXPECT_EQ(done.code, 78) << done.out;
  EXPECT_THAT(done.err, HasSubstr("step 'q' on server 'db'"));
  const auto operators = validate(file(url_, "operation: executeSql, query: \"SELECT 1 AS n WHERE "
                                             "now() = 7\", parameters: []"));
  EXPECT_EQ(operators.code, 78);
  EXPECT_THAT(operators.err, HasSubstr("operator does not exist"));
}

TEST_F(AgainstPostgresTest, KnowsItsOwnCatalog) {
  const auto done = validate(file(url_, "operation: executeSql, query: 'SELECT relname FROM "
                                        "pg_class WHERE relname = ? FOR UPDATE', parameters: "
                                        "[$.in.id], response: {n: '$.rows[0].relname'}"));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("1 statement asked about"));
}

TEST_F(AgainstPostgresTest, NamesUnknownColumnsOfWrites) {
  const auto done = validate(file(url_, "operation: executeSql, query: 'UPDATE pg_class SET "
                                        "nothing = ? WHERE oid = 1', parameters: [$.in.id]"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("\"nothing\""));
}

}  // namespace
}  // namespace millrace::test
