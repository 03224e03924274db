// What a session leaves behind in the connection that it gives back.
#include "tests/actors/db/conformance.hpp"

namespace millrace::actors {
namespace {

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
