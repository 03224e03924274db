// What happens when PostgreSQL ends connections, goes away or changes under us: each caller is
// answered exactly once, nothing happens twice, and the pool comes back by itself.
#include "tests/actors/db/postgres_fixture.hpp"

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;
using Clock = std::chrono::steady_clock;

class PostgresFaultTest : public PostgresTest {
protected:
  void prepare() override {
    case_.settings.application_name = victim_;
    case_.settings.pool.max_size = 4;
    open();
    auto helper = case_.settings;
    helper.application_name = "helper";
    helper.pool.min_size = 1;
    helper.pool.max_size = 2;
    helper_ = std::make_unique<PoolFixture>(helper, *case_.driver);
    make_table(*helper_, "f", "id INTEGER PRIMARY KEY, name TEXT");
  }

  /// Ends the victim's backends. @returns how many.
  std::int64_t kill(const std::string& where = "true") {
    return integer(*helper_, "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity "
                             "WHERE application_name = '"
                               + victim_ + "' AND " + where);
  }

  /// Waits until a victim runs a statement that is like `pattern`, then ends its backend.
  void kill_while_running(const std::string& pattern) {
    const auto deadline = Clock::now() + patience;
    while (kill("wait_event = 'PgSleep' AND query LIKE '" + pattern + "'") == 0) {
      if (Clock::now() > deadline) {
        ADD_FAILURE() << "it never ran";
        return;
      }
      std::this_thread::yield();
    }
  }

  Awaited<ExecuteReply> start(sdk::Statement statement) {
    Awaited<ExecuteReply> reply;
    pool_->handle().execute(std::move(statement), reply.callback());
    return reply;
  }

  std::int64_t rows_in_f() { return integer(*helper_, "SELECT count(*) AS n FROM f"); }

  const std::string victim_ = "victim " + std::to_string(getpid());
  std::unique_ptr<PoolFixture> helper_;
};

TEST_F(PostgresFaultTest, GoesOnAfterAnIdleConnectionWasEnded) {
  ASSERT_TRUE(pool_->run("SELECT 1"));
  EXPECT_GE(kill(), 1);

  EXPECT_TRUE(pool_->run("SELECT 1"));
  EXPECT_TRUE(pool_->run("INSERT INTO f VALUES (1, 'a')"));
  EXPECT_EQ(rows_in_f(), 1);
}

TEST_F(PostgresFaultTest, RunsAWriteAgainThatTheServerEndedInWords) {
  auto reply = start({.sql = "INSERT INTO f SELECT 1, pg_sleep(0.3)::text"});
  kill_while_running("INSERT INTO f%");

  const auto result = std::move(reply.get().results.front());
  EXPECT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(rows_in_f(), 1);
}

TEST_F(PostgresFaultTest, DoesNotRunAProcedureAgainThatMayHaveCommittedInside) {
  ASSERT_TRUE(helper_->run(
    "CREATE OR REPLACE PROCEDURE half() LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO f VALUES (1, 'kept'); COMMIT; PERFORM pg_sleep(10); END $$"));
  auto reply = start({.sql = "CALL half()"});
  kill_while_running("CALL half%");

  const auto result = std::move(reply.get().results.front());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::connection);
  EXPECT_TRUE(result.error().outcome_unknown());
  EXPECT_FALSE(result.error().retryable());
  EXPECT_EQ(rows_in_f(), 1);
}

TEST_F(PostgresFaultTest, EndsATransactionWhoseConnectionIsGone) {
  const auto session = pool_->begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(*session, "INSERT INTO f VALUES (1, 'a')"));
  EXPECT_GE(kill("state LIKE 'idle in transaction%'"), 1);
  while (pool_->info().losses == 0)
    std::this_thread::yield();

  const auto committed = commit(*session);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind(), ErrorKind::connection);
  EXPECT_FALSE(committed.error().outcome_unknown());
  EXPECT_TRUE(committed.error().retryable()) << "nothing of it happened";
  EXPECT_EQ(rows_in_f(), 0);
  EXPECT_TRUE(pool_->run("SELECT 1"));
}

TEST_F(PostgresFaultTest, HealsWhenTheSchemaChangesUnderAPreparedStatement) {
  ASSERT_TRUE(pool_->run("INSERT INTO f VALUES (1, 'a')"));
  EXPECT_EQ(pool_->rows("SELECT * FROM f WHERE id = $1", {Value{1}}).items()[0].members().size(),
            2U);
  ASSERT_TRUE(helper_->run("ALTER TABLE f ADD COLUMN more INTEGER DEFAULT 5"));

  EXPECT_EQ(pool_->rows("SELECT * FROM f WHERE id = $1", {Value{1}}).items()[0].members().size(),
            3U);
}

TEST_F(PostgresFaultTest, RepeatsAStatementThatLostADeadlockOrAConflict) {
  ASSERT_TRUE(pool_->run("INSERT INTO f VALUES (1, '0')"));
  ASSERT_TRUE(helper_->run("CREATE SEQUENCE IF NOT EXISTS tries"));
  ASSERT_TRUE(helper_->run("ALTER SEQUENCE tries RESTART"));
  ASSERT_TRUE(helper_->run(
    "CREATE OR REPLACE FUNCTION conflict_once() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
    "IF nextval('tries') < 3 THEN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END IF; "
    "RETURN 7; END $$"));

  EXPECT_EQ(integer(*pool_, "SELECT conflict_once() AS n"), 7);
  EXPECT_EQ(pool_->info().retries, 2U);
}

TEST_F(PostgresFaultTest, AnswersEveryCallerExactlyOnceWhileConnectionsAreEndedAllTheTime) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr int callers = 4;
  constexpr int messages = 50;
  constexpr int sets = 50;  // 10,000 in all
  std::atomic<bool> stop = false;
  std::thread killer{[&] {
    std::mt19937_64 random{seed};
    while (!stop) {
      kill();
      // The pace of the kills: it waits for nothing.
      std::this_thread::sleep_for(std::chrono::milliseconds{random() % 30});
    }
  }};
  std::atomic<int> answered = 0;
  std::atomic<int> written = 0;
  std::atomic<int> unknown = 0;
  std::vector<std::thread> threads;
  threads.reserve(callers);
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      for (int message = 0; message < messages; ++message) {
        sdk::Statement insert{.sql = "INSERT INTO f VALUES ($1, $2)", .sets = {}};
        const int first = (caller * messages + message) * sets;
        for (int set = 0; set < sets; ++set)
          insert.sets.push_back({Value{first + set}, Value{"x"}});
        for (const auto& result : start(std::move(insert)).get().results) {
          ++answered;
          if (result)
            ++written;
          else if (result.error().outcome_unknown())
            ++unknown;
          else
            EXPECT_EQ(result.error().kind(), ErrorKind::connection) << result.error().to_string();
        }
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  stop = true;
  killer.join();

  EXPECT_EQ(answered, callers * messages * sets);
  const auto rows = rows_in_f();
  // Never a duplicate key: nothing ran twice. What was said to be written is there; of the unknown,
  // any part.
  EXPECT_GE(rows, written);
  EXPECT_LE(rows, written + unknown);
  EXPECT_TRUE(pool_->run("SELECT 1"));
}

class PostgresOutageTest : public testing::Test {
protected:
  void SetUp() override {
    if (test::PostgresServer::shared() == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    const auto folder = "/tmp/millrace-pg-outage-" + std::to_string(getpid());
    server_ = std::make_unique<test::PostgresServer>(folder);
    case_ = postgres_case(*server_);
    pool_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
    EXPECT_TRUE(pool_->run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
  }

  std::unique_ptr<test::PostgresServer> server_;
  DriverCase case_;
  std::unique_ptr<PoolFixture> pool_;
};

TEST_F(PostgresOutageTest, FailsFastWhileTheServerIsDownAndIsBackWithinTwoSecondsOfIt) {
  ASSERT_TRUE(pool_->run("SELECT 1"));
  ASSERT_TRUE(server_->stop());
  sdk::Result<sdk::SqlResult> failed = sdk::SqlResult{};
  for (int i = 0; i < 1000 && !pool_->info().down; ++i)
    failed = pool_->run("SELECT 1");
  ASSERT_TRUE(pool_->info().down);

  const auto asked = Clock::now();
  failed = pool_->run("SELECT 1");
  EXPECT_LT(Clock::now() - asked, 500ms);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::connection);
  EXPECT_TRUE(failed.error().retryable());
  EXPECT_NE(failed.error().hint().find("next attempt"), std::string::npos) << failed.error().hint();
  EXPECT_EQ(pool_->health().status, HealthStatus::unhealthy);
  EXPECT_FALSE(pool_->begin());

  ASSERT_TRUE(server_->start());
  const auto started = Clock::now();
  while (!pool_->run("SELECT 1") && Clock::now() - started < 10s)
    std::this_thread::yield();
  EXPECT_LT(Clock::now() - started, 2s);
}

TEST_F(PostgresOutageTest, SaysThatItDoesNotKnowWhetherAWriteHappenedWhenTheServerVanishes) {
  ASSERT_TRUE(pool_->run("CREATE TABLE f (id INTEGER PRIMARY KEY)"));
  Awaited<ExecuteReply> write;
  Awaited<ExecuteReply> read;
  pool_->handle().execute({.sql = "INSERT INTO f SELECT 1 FROM pg_sleep(20)"}, write.callback());
  PoolFixture watcher{case_.settings, *case_.driver};
  while (watcher
           .rows("SELECT 1 AS n FROM pg_stat_activity WHERE query LIKE 'INSERT INTO f%' AND state "
                 "= 'active'")
           .size()
         == 0)
    std::this_thread::yield();
  ASSERT_TRUE(server_->stop());

  const auto result = std::move(write.get().results.front());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::connection);
  EXPECT_TRUE(result.error().outcome_unknown()) << result.error().to_string();
}

TEST_F(PostgresOutageTest, TellsARefusedUserFromAServerThatIsAway) {
  auto settings = case_.settings;
  settings.dbname = "nowhere";
  PoolFixture wrong{settings, *case_.driver};

  const auto refused = wrong.run("SELECT 1");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::connection);
  EXPECT_EQ(refused.error().code(), "3D000");
  EXPECT_FALSE(refused.error().retryable());
}

TEST_F(PostgresOutageTest, TriesEveryHostBeforeItGivesUp) {
  auto settings = case_.settings;
  settings.hosts = {
    {"127.0.0.1", 1}, {"no-such-host.invalid", 5432}, settings.hosts.front(), {"localhost", 1}};
  settings.connect_timeout = 3000ms;
  PoolFixture pool{settings, *case_.driver};
  EXPECT_TRUE(pool.run("SELECT 1"));

  settings.hosts = {{"127.0.0.1", 1}, {"localhost", 1}};
  PoolFixture none{settings, *case_.driver};
  const auto failed = none.run("SELECT 1");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("127.0.0.1"), std::string::npos);
  EXPECT_NE(failed.error().message().find("localhost"), std::string::npos)
    << failed.error().message();
}

}  // namespace
}  // namespace millrace::actors
