#include "connectors/postgres/client/client_fixture.hpp"

#include <chrono>
#include <future>
#include <thread>

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;
using testing::HasSubstr;
using testing::Not;

class SyncConnectorTest : public ClientTest {};

TEST_F(SyncConnectorTest, GivesRowsAsObjectsTheirCountAndTheSqlThatWasSent) {
  auto db = connected();
  auto result = db.execute("SELECT id, name FROM items WHERE stock > ? ORDER BY id", {5});
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->rowcount, 2);
  EXPECT_EQ(result->fetch_one(), (Value::object({{"id", 1}, {"name", "nut"}})));
  EXPECT_EQ(result->fetch_many(5).size(), 1U);
  EXPECT_TRUE(result->fetch_one().is_null());
  EXPECT_EQ(*result->sql, "SELECT id, name FROM items WHERE stock > $1 ORDER BY id");
}

TEST_F(SyncConnectorTest, CountsWhatWasChangedAndGivesNoRows) {
  auto db = connected();
  const auto updated = db.execute("UPDATE items SET stock = stock + ?", {1});
  ASSERT_TRUE(updated);
  EXPECT_EQ(updated->rowcount, 2);
  EXPECT_EQ(updated->rows.size(), 0U);
  const auto nothing = db.execute("SELECT * FROM items WHERE id = ?", {99});
  EXPECT_EQ(nothing->rowcount, 0);
  EXPECT_EQ(db.execute("CREATE TEMP TABLE t (a int)")->rowcount, std::nullopt);
}

TEST_F(SyncConnectorTest, LiteralsAndNamesStandBesideParameters) {
  auto db = connected();
  const auto result = db.execute("SELECT :id::int AS id, :now > '2020-01-01'::timestamptz AS later",
                                 sdk::named({{"id", 7}, {"now", sdk::current_timestamp}}));
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->rows.items()[0], (Value::object({{"id", 7}, {"later", true}})));
}

TEST_F(SyncConnectorTest, ManySetsOfOneStatementTravelTogether) {
  auto db = connected();
  const auto results = db.execute_many("INSERT INTO items VALUES (?, ?, 0)",
                                       {{3, "a"}, {1, "twice"}, {4, "b"}});
  ASSERT_EQ(results.size(), 3U);
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code(), "23505");
  EXPECT_EQ(results[1].error().constraint(), "items_pkey");
  EXPECT_TRUE(results[2]);
  EXPECT_EQ(number(db.execute("SELECT count(*) AS n FROM items"), "n"), 4);
  EXPECT_TRUE(db.execute_many("INSERT INTO items VALUES (?, ?, 0)", {}).empty());
}

TEST_F(SyncConnectorTest, BeforeConnectAndAfterCloseItSaysSo) {
  PostgresSyncConnector db{config()};
  EXPECT_EQ(db.execute("SELECT 1").error().code(), "08003");
  EXPECT_EQ(db.begin().error().kind(), ErrorKind::connection);
  ASSERT_TRUE(db.connect());
  EXPECT_TRUE(db.execute("SELECT 1"));
  EXPECT_TRUE(db.close());
  EXPECT_TRUE(db.close());
  EXPECT_EQ(db.execute("SELECT 1").error().code(), "08003");
  ASSERT_TRUE(db.connect());
  EXPECT_TRUE(db.execute("SELECT 1"));
}

TEST_F(SyncConnectorTest, ThePoolIsMadeOnceHoweverOftenOneConnects) {
  auto db = connected();
  const auto pid = number(db.execute("SELECT pg_backend_pid() AS pid"), "pid");
  ASSERT_TRUE(db.connect());
  EXPECT_EQ(number(db.execute("SELECT pg_backend_pid() AS pid"), "pid"), pid);
  EXPECT_EQ(db.pool_info().total, 1U);
  auto other = db.session();
  EXPECT_EQ(number(other.execute("SELECT pg_backend_pid() AS pid"), "pid"), pid);
}

TEST_F(SyncConnectorTest, WhatCannotConnectIsAConnectionErrorWithoutSecrets) {
  auto wrong = config();
  wrong.port = 1;
  wrong.password = "planted-secret";
  wrong.retry.attempts = 2;
  wrong.retry.connection_base = 1ms;
  PostgresSyncConnector db{wrong};
  const auto status = db.connect();
  ASSERT_FALSE(status);
  EXPECT_TRUE(sdk::is<sdk::DatabaseConnectionError>(status.error()));
  EXPECT_EQ(status.error().attempts(), 2U);
  EXPECT_THAT(status.error().to_string(), Not(HasSubstr("planted")));
  EXPECT_EQ(db.execute("SELECT 1").error().code(), "08003");
  wrong = config();
  wrong.dbname = "no_such_database";
  EXPECT_EQ(PostgresSyncConnector{wrong}.connect().error().code(), "3D000");
}

TEST_F(SyncConnectorTest, TheFourErrorsHaveTheirTypes) {
  auto db = connected();
  EXPECT_THROW(sdk::value_or_throw(db.execute("SELEC 1")), sdk::DatabaseExecutionError);
  EXPECT_THROW(sdk::value_or_throw(db.execute("SELECT ?", {1, 2})), sdk::DatabaseExecutionError);
  EXPECT_THROW(sdk::value_or_throw(db.commit()), sdk::DatabaseTransactionError);
  EXPECT_THROW(sdk::value_or_throw(db.execute("SELECT pg_sleep(5)", {}, {.timeout = 30ms})),
               sdk::DatabaseTimeoutError);
  EXPECT_TRUE(db.execute("SELECT 1"));
  ASSERT_TRUE(db.close());
  EXPECT_THROW(sdk::value_or_throw(db.execute("SELECT 1")), sdk::DatabaseConnectionError);
}

TEST_F(SyncConnectorTest, NeverMoreConnectionsThanTheLimit) {
  auto small = config();
  small.pool.max_size = 2;
  auto db = connected(small);
  std::vector<std::future<bool>> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.push_back(std::async(std::launch::async, [&db] {
      bool good = true;
      for (int n = 0; n < 20; ++n)
        good = good && db.execute("SELECT ?::int AS n", {n}).has_value();
      return good;
    }));
  }
  for (auto& thread : threads)
    EXPECT_TRUE(thread.get());
  EXPECT_TRUE(eventually([&] { return db.pool_info().checked_out == 0; }));
  const auto info = db.pool_info();
  EXPECT_LE(info.total, 2U);
  EXPECT_EQ(info.waiting, 0U);
  EXPECT_LE(
    number(db.execute("SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = ?",
                      {small.application_name}),
           "n"),
    2);
}

TEST_F(SyncConnectorTest, WhoWaitsTooLongIsToldThePoolsFigures) {
  auto small = config();
  small.pool.max_size = 1;
  small.pool.timeout = 50ms;
  auto db = connected(small);
  auto holder = db.session();
  ASSERT_TRUE(holder.begin());
  const auto refused = db.execute("SELECT 1");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(sdk::is<sdk::DatabaseTimeoutError>(refused.error()));
  EXPECT_THAT(refused.error().message(), HasSubstr("1 of 1 open, 1 in use"));
  ASSERT_TRUE(holder.rollback());
  EXPECT_TRUE(db.execute("SELECT 1"));
}

TEST_F(SyncConnectorTest, WhatAStatementLeavesBehindTheNextOneDoesNotSee) {
  auto small = config();
  small.pool.max_size = 1;
  auto db = connected(small);
  ASSERT_TRUE(db.execute("SET statement_timeout = 12345"));
  ASSERT_TRUE(db.execute("CREATE TEMP TABLE left_behind (a int)"));
  EXPECT_EQ(db.execute("SHOW statement_timeout")->fetch_one(),
            (Value::object({{"statement_timeout", "0"}})));
  EXPECT_EQ(db.execute("SELECT * FROM left_behind").error().code(), "42P01");
}

TEST_F(SyncConnectorTest, ReadsOnKilledConnectionsAreRunAgain) {
  auto db = connected();
  ASSERT_TRUE(db.execute("SELECT 1"));
  auto other = connected();
  kill_connections(other);
  // The pool learns of it before or while it is asked.
  const auto result = db.execute("SELECT 7 AS n", {}, {.read_only = true});
  EXPECT_EQ(number(result, "n"), 7);
}

TEST_F(SyncConnectorTest, AWriteThatMayHaveHappenedIsNotRunAgain) {
  auto db = connected();
  // The function ends its own connection after the statement began.
  const auto lost = db.execute(
    "UPDATE items SET stock = stock + 1 WHERE pg_terminate_backend(pg_backend_pid())");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind(), ErrorKind::connection);
  EXPECT_EQ(number(db.execute("SELECT stock FROM items WHERE id = 1"), "stock"), 10);
}

TEST_F(SyncConnectorTest, HealthIsAskedWithItsTime) {
  auto db = connected();
  const auto report = db.health_check();
  EXPECT_EQ(report.status, HealthStatus::healthy);
  EXPECT_EQ(report.message, "Database connection OK");
  EXPECT_GT(report.latency_ms, 0);
  ASSERT_TRUE(db.close());
  EXPECT_EQ(db.health_check().status, HealthStatus::unhealthy);
}

TEST_F(SyncConnectorTest, DescriptorsGoWithTheConnector) {
  {
    auto warm = connected();  // what the process opens once
  }
  auto killer = connected();
  const auto before = open_descriptors();
  for (int round = 0; round < 10; ++round) {
    auto wide = config();
    wide.pool.min_size = 3;
    auto db = connected(wide);
    ASSERT_TRUE(db.begin());
    ASSERT_TRUE(db.execute("SELECT 1"));
    kill_connections(killer);
    EXPECT_FALSE(db.execute("SELECT 1"));
    EXPECT_TRUE(db.rollback());
    EXPECT_TRUE(db.execute("SELECT 1", {}, {.read_only = true}));
    if (round % 2 == 0) {
      EXPECT_TRUE(db.close());
      EXPECT_TRUE(db.close());
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace millrace::postgres
