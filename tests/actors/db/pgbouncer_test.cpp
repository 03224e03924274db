// A PgBouncer in transaction mode in between: each transaction may meet another server connection.
#include "tests/actors/db/postgres_fixture.hpp"

#include <atomic>
#include <set>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;

class PgBouncerTest : public PostgresTest {
protected:
  void prepare() override {
    direct_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
    make_schema(*direct_);
    bouncer_ = std::make_unique<test::PgBouncer>(
      *server_, test_schema(), "/tmp/millrace-bouncer-" + std::to_string(getpid()));
    if (!bouncer_->running())
      GTEST_SKIP() << bouncer_->why_not();
    case_ = bouncer_case(*server_, *bouncer_);
    case_.settings.pool.max_size = 8;  // more than the bouncer has
    open();
  }

  std::string text(const std::string& sql) {
    const auto result = pool_->run(sql);
    return result ? std::string{result->rows.items()[0].members()[0].value.as_string()}
                  : result.error().to_string();
  }

  std::unique_ptr<test::PgBouncer> bouncer_;
  std::unique_ptr<PoolFixture> direct_;
};

TEST_F(PgBouncerTest, LeavesNoPreparedStatementAtTheServer) {
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(pool_->run("SELECT $1::int + " + std::to_string(i % 5), {Value{i}}));
  EXPECT_EQ(pool_->rows("SELECT name FROM pg_prepared_statements").size(), 0U);
}

TEST_F(PgBouncerTest, AnswersEachOfManyCallersWithItsOwnRows) {
  std::vector<Awaited<ExecuteReply>> replies(200);
  for (std::size_t i = 0; i < replies.size(); ++i)
    pool_->handle().execute({.sql = "SELECT $1::int8 AS n, pg_backend_pid() AS pid",
                             .sets = {{Value{static_cast<std::int64_t>(i)}}}},
                            replies[i].callback());
  std::set<std::int64_t> backends;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto result = std::move(replies[i].get().results.front());
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(result->rows.items()[0].find("n")->as_integer(), static_cast<std::int64_t>(i));
    backends.insert(result->rows.items()[0].find("pid")->as_integer());
  }
  EXPECT_LE(backends.size(), 3U);
}

TEST_F(PgBouncerTest, SaysReadOnlyWithTheStatementItself) {
  ASSERT_TRUE(direct_->run("CREATE TABLE IF NOT EXISTS b (id INTEGER)"));
  sdk::Statement write{.sql = "INSERT INTO b VALUES (1)"};
  write.options.read_only = true;
  const auto refused = std::move(pool_->run(write).results.front());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "25006");
  write.options.read_only = false;
  for (int i = 0; i < 10; ++i)  // whichever server connection comes: none of them kept it
    EXPECT_TRUE(std::move(pool_->run(write).results.front()));
}

TEST_F(PgBouncerTest, SaysItsLimitOfTimeWithTheStatementItself) {
  case_.settings.statement_timeout = 100ms;
  open();
  const auto ended = pool_->run("SELECT pg_sleep(5)");
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind(), ErrorKind::timeout) << ended.error().to_string();
  const auto session = pool_->begin();
  ASSERT_TRUE(session);
  EXPECT_EQ(run(*session, "SELECT pg_sleep(5)").error().kind(), ErrorKind::timeout);
  static_cast<void>(rollback(*session));
  for (int i = 0; i < 6; ++i) {
    PoolFixture other{bouncer_case(*test::PostgresServer::shared(), *bouncer_).settings,
                      *case_.driver};
    EXPECT_EQ(other.rows("SELECT current_setting('statement_timeout') AS t")
                .items()[0]
                .find("t")
                ->as_string(),
              "0");
  }
}

TEST_F(PgBouncerTest, ShowsTimesAsItDoesWithoutABouncer) {
  const auto role = "tokyo_" + std::to_string(getpid());
  ASSERT_TRUE(direct_->run("CREATE ROLE " + role + " LOGIN SUPERUSER"));
  ASSERT_TRUE(direct_->run("ALTER ROLE " + role + " SET TimeZone = 'Asia/Tokyo'"));
  bouncer_ = std::make_unique<test::PgBouncer>(
    *test::PostgresServer::shared(), test_schema(),
    "/tmp/millrace-bouncer-tz-" + std::to_string(getpid()), role);
  case_.settings.hosts = {{"127.0.0.1", bouncer_->port()}};
  open();
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(text("SELECT timestamptz '2026-11-21 09:47:47+00'"), "2026-11-21T09:47:47+00:00");
  bouncer_.reset();
  ASSERT_TRUE(direct_->run("DROP ROLE " + role));
}

TEST_F(PgBouncerTest, JoinsNothingBecauseNoSettingStaysWithUs) {
  ASSERT_TRUE(case_.settings.batching);
  ASSERT_TRUE(direct_->run("DROP TABLE IF EXISTS b"));
  ASSERT_TRUE(direct_->run("CREATE TABLE b (id INTEGER PRIMARY KEY)"));
  for (int round = 0; round < 5; ++round) {
    std::vector<Awaited<ExecuteReply>> replies(80);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      const Value id{static_cast<std::int64_t>(i + 80 * static_cast<std::size_t>(round))};
      pool_->handle().execute(
        {.sql = i % 2 == 0 ? "INSERT INTO b VALUES ($1)" : "SELECT id FROM b WHERE id = $1",
         .sets = {{id}}},
        replies[i].callback());
    }
    for (auto& reply : replies) {
      const auto result = std::move(reply.get().results.front());
      EXPECT_TRUE(result) << result.error().to_string();
    }
  }
  const auto info = pool_->info();
  EXPECT_GE(info.by_way[0], 400U);
  EXPECT_EQ(info.by_way[1] + info.by_way[2], 0U);
  for (const auto& statement : info.by_statement)
    EXPECT_EQ(statement.not_shared, "the driver runs each statement on its own");
}

TEST_F(PgBouncerTest, RunsBatchesWhollyOrNotAtAllBesideEachOther) {
  ASSERT_TRUE(direct_->run("DROP TABLE IF EXISTS b, sums"));
  ASSERT_TRUE(direct_->run("CREATE TABLE b (id INTEGER PRIMARY KEY)"));
  ASSERT_TRUE(direct_->run("CREATE TABLE sums (caller INTEGER PRIMARY KEY, n INTEGER)"));
  ASSERT_TRUE(direct_->run("INSERT INTO sums SELECT i, 0 FROM generate_series(0, 5) i"));
  std::vector<std::thread> callers;
  std::atomic<int> committed = 0;
  callers.reserve(6);
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 40; ++i) {
        // Each third batch fails at its end, and nothing of it stays.
        const int id = caller * 100 + (i % 3 == 2 ? i - 1 : i);
        Awaited<ExecuteReply> reply;
        pool_->handle().execute_batch(
          {{.sql = "UPDATE sums SET n = n + 1 WHERE caller = $1", .sets = {{Value{caller}}}},
           {.sql = "SELECT n FROM sums WHERE caller = $1", .sets = {{Value{caller}}}},
           {.sql = "INSERT INTO b VALUES ($1)", .sets = {{Value{id}}}}},
          reply.callback());
        const auto results = reply.get().results;
        ASSERT_EQ(results.size(), 3U);
        EXPECT_EQ(results[2].has_value(), i % 3 != 2);
        EXPECT_EQ(results[0].has_value(), results[2].has_value());
        if (results[2])
          ++committed;
        else
          EXPECT_EQ(results[2].error().code(), "23505") << results[2].error().to_string();
      }
    });
  }
  for (auto& caller : callers)
    caller.join();
  EXPECT_EQ(direct_->rows("SELECT sum(n)::int AS n FROM sums").items()[0].find("n")->as_integer(),
            committed);
  EXPECT_EQ(direct_->rows("SELECT count(*) AS n FROM b").items()[0].find("n")->as_integer(),
            committed);
}

// Its words that the server is gone say nothing of what that did before.
TEST_F(PgBouncerTest, NeverRunsAWriteAgainWhoseAnswerWasLostBehindTheBouncer) {
  using namespace std::string_literals;
  ASSERT_TRUE(direct_->run("DROP TABLE IF EXISTS b"));
  ASSERT_TRUE(direct_->run("CREATE TABLE b (id INTEGER)"));
  test::FaultProxy proxy{test::Endpoint{server_->host(), server_->port()}};
  bouncer_ = std::make_unique<test::PgBouncer>(
    *server_, test_schema(), "/tmp/millrace-bouncer-cut-" + std::to_string(getpid()), "",
    test::Endpoint{"127.0.0.1", proxy.port()});
  case_.settings.hosts = {{"127.0.0.1", bouncer_->port()}};
  open();
  const auto there = [this](int id) {
    return direct_->rows("SELECT count(*) AS n FROM b WHERE id = $1", {Value{id}})
      .items()[0]
      .find("n")
      ->as_integer();
  };
  for (int id = 0; id < 4; ++id) {
    ASSERT_TRUE(pool_->run("SELECT 1"));  // so that the bouncer has its connection
    // The server has run and committed it when this much of its answer comes.
    proxy.strike({.kind = test::Fault::Kind::cut, .at = "2\0\0\0\x04"s});
    const auto written = pool_->run("INSERT INTO b VALUES ($1)", {Value{id}});
    proxy.heal();
    EXPECT_EQ(there(id), 1) << (written ? "confirmed" : written.error().to_string());
    if (!written) {
      EXPECT_TRUE(written.error().outcome_unknown()) << written.error().to_string();
    }
  }
  EXPECT_GE(proxy.struck(), 1U);
}

TEST_F(PgBouncerTest, GoesOnAfterTheBouncerLostItsServer) {
  const auto name = "bounced " + std::to_string(getpid());
  case_.settings.application_name = name;
  open();
  ASSERT_TRUE(pool_->run("SELECT 1"));
  ASSERT_TRUE(direct_->run("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                           "application_name = $1",
                           {Value{name}}));
  const auto again = pool_->run("SELECT 1");
  EXPECT_TRUE(again) << again.error().to_string();
}

}  // namespace
}  // namespace millrace::actors
