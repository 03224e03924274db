// What a session leaves behind in the connection that it gives back.
#include "tests/actors/db/conformance.hpp"

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;

class SessionEndTest : public ConformanceTest {
protected:
  /// A pool of one connection, so that the next one gets what the last one left.
  void SetUp() override {
    ConformanceTest::SetUp();
    if (IsSkipped())
      return;
    case_.settings.pool.max_size = 1;
    open();
  }

  SessionHandle begin() {
    auto session = pool().begin();
    EXPECT_TRUE(session) << session.error().to_string();
    return *session;
  }
};

TEST_P(SessionEndTest, LeavesNoTransactionOpenWhoseCommitBrokeADeferredForeignKey) {
  make("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
  make("CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id) "
       "DEFERRABLE INITIALLY DEFERRED)");
  {
    const auto session = begin();
    EXPECT_TRUE(run(session, "INSERT INTO child VALUES (1, 7)"));
    const auto committed = commit(session);
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code(), "23503") << committed.error().to_string();
  }
  EXPECT_EQ(count("child"), 0);
  make("INSERT INTO parent VALUES (7)");
  // Somebody else sees it, and gets the write lock.
  PoolFixture other{case_.settings, *case_.driver};
  EXPECT_EQ(other.rows("SELECT id FROM parent").size(), 1U);
  EXPECT_TRUE(other.run("INSERT INTO parent VALUES (8)"));
  const auto next = begin();
  EXPECT_TRUE(run(next, "INSERT INTO child VALUES (1, 7)"));
  EXPECT_TRUE(commit(next));
}

TEST_P(SessionEndTest, LeavesNoTemporaryTableBehind) {
  {
    const auto session = begin();
    EXPECT_TRUE(run(session, "CREATE TEMP TABLE passing (id INTEGER)"));
    EXPECT_TRUE(commit(session));
  }
  EXPECT_EQ(error_of("SELECT * FROM passing").code(), "42P01");
}

TEST_P(SessionEndTest, TellsATransactionItsOwnLastNumberBehindItsOwnInsert) {
  if (GetParam() != "postgres")
    GTEST_SKIP() << "lastval() is PostgreSQL's";
  for (const std::string table : {"first", "second"})
    make("CREATE TABLE " + table + " (id INTEGER GENERATED ALWAYS AS IDENTITY (START WITH "
         + (table == "first" ? "1" : "1000") + "), n INTEGER)");
  // The one connection goes from hand to hand, and what is known to be harmless is not undone.
  for (int round = 0; round < 4; ++round) {
    for (const std::string table : {"first", "second"}) {
      const auto session = begin();
      const auto own = run(session, "INSERT INTO " + table + " (n) VALUES ($1) RETURNING id",
                           {Value{round}});
      ASSERT_TRUE(own) << own.error().to_string();
      const auto last = run(session, "SELECT lastval() AS id");
      ASSERT_TRUE(last) << last.error().to_string();
      EXPECT_EQ(last->rows, own->rows);
      EXPECT_TRUE(commit(session));
    }
  }
}

TEST_P(SessionEndTest, LeavesNoSettingsAndNoLocksBehind) {
  if (!is_postgres())
    GTEST_SKIP() << "PostgreSQL's";
  const std::string path{
    pool().rows("SHOW search_path").items()[0].find("search_path")->as_string()};
  const auto backend =
    pool().rows("SELECT pg_backend_pid() AS n").items()[0].find("n")->as_integer();
  {
    const auto session = begin();
    EXPECT_TRUE(run(session, "SET search_path = pg_catalog"));
    EXPECT_TRUE(commit(session));
  }
  EXPECT_EQ(pool().rows("SHOW search_path").items()[0].find("search_path")->as_string(), path);
  {
    const auto session = begin();
    EXPECT_TRUE(run(session, "SELECT pg_advisory_lock($1)", {Value{4711}}));
    EXPECT_TRUE(run(session, "LISTEN somebody"));
    EXPECT_TRUE(commit(session));
  }
  EXPECT_EQ(
    pool().rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711").size(),
    0U);
  EXPECT_EQ(pool().rows("SELECT pg_listening_channels()").size(), 0U);
  EXPECT_EQ(pool().rows("SELECT pg_backend_pid() AS n").items()[0].find("n")->as_integer(), backend)
    << "the connection is kept";
}

TEST_P(SessionEndTest, TakesAwayWhatFunctionsLeaveBehindToo) {
  if (!is_postgres())
    GTEST_SKIP() << "PostgreSQL's";
  make("CREATE OR REPLACE FUNCTION leave_traces() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN "
       "PERFORM set_config('statement_timeout', '12345', false); "
       "PERFORM pg_advisory_lock(4712); LISTEN somebody; "
       "CREATE TEMP TABLE passing (id INTEGER); RETURN 1; END $$");
  const auto backend =
    pool().rows("SELECT pg_backend_pid() AS n").items()[0].find("n")->as_integer();
  for (const bool commits : {true, false}) {
    const auto session = begin();
    EXPECT_TRUE(run(session, "SELECT leave_traces()"));
    EXPECT_TRUE(commits ? commit(session) : rollback(session));
    EXPECT_EQ(
      pool().rows("SHOW statement_timeout").items()[0].find("statement_timeout")->as_string(), "0");
    EXPECT_EQ(pool().rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").size(), 0U);
    EXPECT_EQ(pool().rows("SELECT pg_listening_channels()").size(), 0U);
    EXPECT_EQ(error_of("SELECT * FROM passing").code(), "42P01");
  }
  EXPECT_EQ(pool().rows("SELECT pg_backend_pid() AS n").items()[0].find("n")->as_integer(), backend)
    << "the connection is kept";
}

TEST_P(SessionEndTest, RollsBackATransactionThatSitsIdleForTooLong) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  auto session = pool().begin({.idle_timeout = 50ms});
  ASSERT_TRUE(session);
  EXPECT_TRUE(run(*session, "INSERT INTO t VALUES (1)"));
  EXPECT_EQ(count("t"), 0) << "its only connection is free again";
  const auto committed = commit(*session);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code(), "25P03") << committed.error().to_string();

  case_.settings.idle_in_transaction = 50ms;
  open();
  const auto other = begin();
  EXPECT_EQ(pool().rows("SELECT 1 AS n").size(), 1U)
    << "the same where the server's settings say so";
  EXPECT_EQ(run(other, "SELECT 1").error().code(), "25P03");
}

TEST_P(SessionEndTest, EndsATransactionWhoseTimeIsOverInTheMiddleOfAStatement) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  auto session = pool().begin({.timeout = 200ms});
  ASSERT_TRUE(session);
  EXPECT_TRUE(run(*session, "INSERT INTO t VALUES (1)"));
  const auto asked = std::chrono::steady_clock::now();
  const auto result = run(
    *session, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
              "2000000000) SELECT count(*) AS n FROM n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::timeout) << result.error().to_string();
  EXPECT_EQ(result.error().code(), "25P04");
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 2s);
  EXPECT_EQ(commit(*session).error().code(), "25P04");
  EXPECT_EQ(count("t"), 0);
}

TEST_P(SessionEndTest, AnswersWhoAsksAPoolThatHasEnded) {
  pool().handle().close();
  EXPECT_FALSE(pool().run("SELECT 1"));
  EXPECT_EQ(pool().health().status, HealthStatus::unhealthy);
  EXPECT_EQ(pool().info().total, 0U);
  std::promise<void> drained;
  pool().handle().drain([&] { drained.set_value(); });
  EXPECT_EQ(drained.get_future().wait_for(patience), std::future_status::ready);
}

INSTANTIATE_TEST_SUITE_P(Drivers, SessionEndTest, testing::Values("sqlite", "postgres"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace millrace::actors
