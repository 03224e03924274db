#include "connectors/sdk/json.hpp"
#include "tests/actors/db/conformance.hpp"

#include <atomic>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;

class StatementConformanceTest : public ConformanceTest {};

TEST_P(StatementConformanceTest, GivesRowsByTheTypesOfTheirColumns) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, ok BOOLEAN, ratio REAL, price "
       "NUMERIC(12,4), doc JSON)");
  make("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6)",
       {Value{7}, Value{"Ada"}, Value{true}, Value{0.5}, Value{2},
        Value::object({{Value{"a"}, Value::array({Value{1}})}})});
  make("INSERT INTO t (id) VALUES ($1)", {Value{8}});

  const auto result = pool().run("SELECT id, name, ok, ratio, doc FROM t ORDER BY id");

  ASSERT_TRUE(result);
  EXPECT_EQ(sdk::to_json(result->rows),
            R"([{"id":7,"name":"Ada","ok":true,"ratio":0.5,"doc":{"a":[1]}},)"
            R"({"id":8,"name":null,"ok":null,"ratio":null,"doc":null}])");
  EXPECT_EQ(result->rowcount, 2);
  EXPECT_EQ(result->command, "SELECT 2");
  EXPECT_EQ(result->shape->columns().at(1).name, "name");
  EXPECT_EQ(*result->sql, "SELECT id, name, ok, ratio, doc FROM t ORDER BY id");
  EXPECT_TRUE(*pool().rows("SELECT price FROM t WHERE id = 7").items()[0].find("price")
              == Value{2});
}

TEST_P(StatementConformanceTest, CountsTheRowsThatAStatementChanged) {
  const auto created = pool().run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  ASSERT_TRUE(created);
  EXPECT_EQ(created->rowcount, std::nullopt);
  EXPECT_EQ(created->command, "CREATE TABLE");

  EXPECT_EQ(pool().run("INSERT INTO t VALUES (1), (2), (3)")->command, "INSERT 0 3");
  EXPECT_EQ(pool().run("UPDATE t SET id = id + 10 WHERE id > $1", {Value{1}})->rowcount, 2);
  EXPECT_EQ(pool().run("DELETE FROM t WHERE id = 99")->rowcount, 0);
  const auto empty = pool().run("SELECT id FROM t WHERE id = 99");
  EXPECT_EQ(sdk::to_json(empty->to_value().find("rows")[0]), "[]");
  EXPECT_EQ(empty->rowcount, 0);
}

TEST_P(StatementConformanceTest, NamesTheKindOfEachMistake) {
  make("CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER CHECK "
       "(age > 0))");
  make("CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id))");
  make("INSERT INTO parent VALUES (1, 'Ada', 36)");

  struct Mistake {
    const char* sql;
    const char* sqlstate;
  };

  for (const auto& [sql, sqlstate] : {
         Mistake{"SELEC 1", "42601"},
         Mistake{"SELECT * FROM nowhere", "42P01"},
         Mistake{"SELECT absent FROM parent", "42703"},
         Mistake{"INSERT INTO parent VALUES (1, 'Eva', 1)", "23505"},
         Mistake{"INSERT INTO parent VALUES (2, 'Ada', 1)", "23505"},
         Mistake{"INSERT INTO parent VALUES (2, NULL, 1)", "23502"},
         Mistake{"INSERT INTO parent VALUES (2, 'Eva', -1)", "23514"},
         Mistake{"INSERT INTO child VALUES (1, 99)", "23503"},
       }) {
    const auto error = error_of(sql);
    EXPECT_EQ(error.kind(), ErrorKind::execution) << sql;
    EXPECT_EQ(error.code(), sqlstate) << sql << ": " << error.message();
    EXPECT_FALSE(error.retryable()) << sql;
    EXPECT_EQ(error.message().find("Eva"), std::string::npos) << "values stay out of messages";
  }
  EXPECT_FALSE(error_of("INSERT INTO child VALUES (1, 99)").constraint().empty() && is_postgres());
}

TEST_P(StatementConformanceTest, RefusesAWrongNumberOfParameters) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");

  for (const auto& parameters : {sdk::Parameters{}, sdk::Parameters{Value{1}, Value{2}}}) {
    const auto error = error_of("SELECT * FROM t WHERE id = $1", parameters);
    EXPECT_EQ(error.kind(), ErrorKind::execution);
    // Behind a bouncer nothing is described first: the server's own words have both numbers too.
    const std::string one = is_bounced() ? "requires 1" : "1 placeholder";
    EXPECT_NE(error.message().find(one), std::string::npos) << error.message();
    EXPECT_NE(error.message().find(std::to_string(parameters.size()) + " parameters"),
              std::string::npos);
  }
}

TEST_P(StatementConformanceTest, RefusesWhatWouldChangeASharedConnection) {
  for (const std::string sql : {"COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT a"}) {
    const auto error = error_of(sql);
    EXPECT_EQ(error.kind(), ErrorKind::transaction) << sql;
  }
  EXPECT_EQ(error_of("SELECT 1; SELECT 2").kind(), ErrorKind::execution);
  EXPECT_EQ(error_of("").kind(), ErrorKind::execution);
}

TEST_P(StatementConformanceTest, AnswersEachParameterSetForItself) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  sdk::Statement insert{.sql = "INSERT INTO t VALUES ($1)", .sets = {}};
  for (const int id : {1, 2, 1, 3})
    insert.sets.push_back({Value{id}});

  const auto reply = pool().run(insert);

  ASSERT_EQ(reply.results.size(), 4U);
  EXPECT_TRUE(reply.results[0]);
  EXPECT_TRUE(reply.results[1]);
  ASSERT_FALSE(reply.results[2]);
  EXPECT_EQ(reply.results[2].error().code(), "23505");
  EXPECT_TRUE(reply.results[3]);
  EXPECT_EQ(count("t"), 3);
}

TEST_P(StatementConformanceTest, AnswersADeferredConstraintWithTheStatementThatBrokeIt) {
  make("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
  make("CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");

  EXPECT_EQ(error_of("INSERT INTO child VALUES ($1)", {Value{1}}).code(), "23503");
  EXPECT_EQ(count("child"), 0);
}

TEST_P(StatementConformanceTest, RunsABatchWhollyOrNotAtAll) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const auto batch = [this](std::vector<int> ids) {
    sdk::Statement insert{.sql = "INSERT INTO t VALUES ($1)", .sets = {}};
    for (const int id : ids)
      insert.sets.push_back({Value{id}});
    Awaited<ExecuteReply> reply;
    pool().handle().execute_batch({insert, {.sql = "DELETE FROM t WHERE id = 100"}},
                                  reply.callback());
    return reply.get();
  };

  const auto bad = batch({1, 2, 2});
  ASSERT_EQ(bad.results.size(), 4U);
  EXPECT_EQ(bad.results[2].error().code(), "23505");
  for (const std::size_t other : {0U, 1U, 3U}) {
    ASSERT_FALSE(bad.results[other]);
    EXPECT_EQ(bad.results[other].error().kind(), ErrorKind::transaction);
  }
  EXPECT_EQ(count("t"), 0);
  for (const auto& result : batch({1, 2, 3}).results)
    EXPECT_TRUE(result);
  EXPECT_EQ(count("t"), 3);
}

TEST_P(StatementConformanceTest, RefusesToWriteWhereReadingWasDeclared) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  sdk::Statement statement{.sql = "INSERT INTO t VALUES (1)"};
  statement.options.read_only = true;

  const auto refused = pool().run(statement);
  EXPECT_EQ(refused.results.front().error().code(), "25006");
  statement.sql = "SELECT count(*) AS n FROM t";
  EXPECT_TRUE(pool().run(statement).results.front());
  make("INSERT INTO t VALUES (1)");
}

TEST_P(StatementConformanceTest, EndsAStatementThatTakesTooLong) {
  sdk::Statement endless{.sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                "WHERE i > 0 AND i < 2000000000) "
                                "SELECT count(*) AS n FROM n"};
  endless.options.timeout = 100ms;

  const auto reply = pool().run(endless);

  ASSERT_FALSE(reply.results.front());
  EXPECT_EQ(reply.results.front().error().kind(), ErrorKind::timeout);
  EXPECT_EQ(reply.results.front().error().code(), "57014");
  EXPECT_TRUE(pool().run("SELECT 1"));
}

TEST_P(StatementConformanceTest, AnswersThousandsOfStatementsOfSeveralCallersInOrder) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
  sdk::Statement fill{.sql = "INSERT INTO t VALUES ($1, $2)", .sets = {}};
  for (int id = 0; id < 100; ++id)
    fill.sets.push_back({Value{id}, Value{"name " + std::to_string(id)}});
  pool().run(fill);
  constexpr int callers = 5;
  constexpr int messages = 20;
  constexpr int sets = 100;
  std::atomic<int> wrong = 0;

  std::vector<std::thread> threads;
  threads.reserve(callers);
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      std::vector<Awaited<ExecuteReply>> replies(messages);
      for (int message = 0; message < messages; ++message) {
        sdk::Statement find{.sql = "SELECT name FROM t WHERE id = $1", .sets = {}};
        for (int set = 0; set < sets; ++set)
          find.sets.push_back({Value{(caller * 7 + message * 13 + set) % 100}});
        pool().handle().execute(std::move(find),
                                replies[static_cast<std::size_t>(message)].callback());
      }
      for (int message = 0; message < messages; ++message) {
        const auto reply = replies[static_cast<std::size_t>(message)].get();
        for (int set = 0; set < sets; ++set) {
          const auto& result = reply.results[static_cast<std::size_t>(set)];
          const auto expected = "name " + std::to_string((caller * 7 + message * 13 + set) % 100);
          if (!result || result->rows.size() != 1
              || result->rows.items()[0].find("name")->as_string() != expected)
            ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads)
    thread.join();

  EXPECT_EQ(wrong, 0);
  EXPECT_GE(pool().info().statements, 10'000U);
}

TEST_P(StatementConformanceTest, KeepsTheOrderOfRequestsThatShareAKey) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY, value INTEGER)");
  make("INSERT INTO t VALUES (1, 0)");
  std::vector<Awaited<ExecuteReply>> replies(200);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    sdk::Statement set{.sql = "UPDATE t SET value = $1 WHERE id = 1 AND value = $2",
                       .sets = {{Value{static_cast<int>(i) + 1}, Value{static_cast<int>(i)}}}};
    set.options.order_key = 42;
    pool().handle().execute(std::move(set), replies[i].callback());
  }

  for (auto& reply : replies)
    EXPECT_EQ(reply.get().results.front()->rowcount, 1);
}

INSTANTIATE_TEST_SUITE_P(Drivers, StatementConformanceTest,
                         testing::Values("sqlite", "postgres", "pgbouncer"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace millrace::actors
