// A COMMIT was sent and its answer is lost: what became of it is looked up, and never guessed.
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"
#include "tests/support/slow_commit.hpp"

#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using test::Direction;
using test::Fault;

/// A table whose COMMITs take a while.
class LostCommitTest : public testing::Test {
protected:
  static void SetUpTestSuite() {
    if (test::PostgresServer::shared() != nullptr)
      server_ = std::make_unique<test::PostgresServer>("/tmp/millrace-pg-commit-"
                                                       + std::to_string(getpid()));
  }

  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (server_ == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    proxy_ = std::make_unique<test::FaultProxy>(test::Endpoint{server_->host(), server_->port()});
    case_ = postgres_case(*server_);
    helper_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
    case_.settings.hosts = {{"127.0.0.1", proxy_->port()}};
    case_.settings.application_name = "victim";
    case_.settings.pool.max_size = 2;
    pool_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
    ASSERT_TRUE(helper_->run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
    for (const auto* sql : test::slow_commit_schema)
      ASSERT_TRUE(helper_->run(sql)) << sql;
  }

  SessionHandle begin() {
    auto session = pool_->begin();
    EXPECT_TRUE(session);
    return *session;
  }

  /// Waits until a COMMIT of ours sleeps.
  void wait_for_commit() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (helper_
             ->rows("SELECT 1 AS n FROM pg_stat_activity WHERE application_name = 'victim' AND "
                    "wait_event = 'PgSleep' AND query LIKE 'COMMIT%'")
             .size()
           == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  std::int64_t rows() {
    return helper_->rows("SELECT count(*) AS n FROM slow").items()[0].find("n")->as_integer();
  }

  // NOLINTNEXTLINE(readability-identifier-naming): as the members that each test has
  static inline std::unique_ptr<test::PostgresServer> server_;
  std::unique_ptr<test::FaultProxy> proxy_;
  DriverCase case_;
  std::unique_ptr<PoolFixture> helper_;
  std::unique_ptr<PoolFixture> pool_;
};

TEST_F(LostCommitTest, FindsOutThatItHappened) {
  const auto session = begin();
  ASSERT_TRUE(run(session, "INSERT INTO slow VALUES (0.5)"));
  proxy_->strike(test::cut_behind_number());

  const auto committed = commit(session);

  EXPECT_TRUE(committed) << committed.error().to_string();
  EXPECT_EQ(proxy_->struck(), 1U);
  EXPECT_EQ(rows(), 1);
  EXPECT_TRUE(pool_->run("SELECT 1"));
}

TEST_F(LostCommitTest, FindsOutThatItDidNotHappen) {
  const auto session = begin();
  ASSERT_TRUE(run(session, "INSERT INTO slow VALUES (10)"));
  Awaited<sdk::Status> committed;
  session.commit(committed.callback());
  wait_for_commit();
  helper_->rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'victim' AND wait_event = 'PgSleep'");

  const auto status = committed.get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::connection);
  EXPECT_FALSE(status.error().outcome_unknown()) << status.error().to_string();
  EXPECT_TRUE(status.error().retryable()) << "the whole of it may run again";
  EXPECT_EQ(rows(), 0);
}

TEST_F(LostCommitTest, IsNotDeceivedByAServerThatGivesLostNumbersAgainAfterACrash) {
  const auto session = begin();
  ASSERT_TRUE(run(session, "INSERT INTO slow VALUES (10)"));
  Awaited<sdk::Status> committed;
  session.commit(committed.callback());
  wait_for_commit();
  ASSERT_TRUE(server_->stop());
  ASSERT_TRUE(server_->start());
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (int i = 0; i < 20; ++i) {  // others get the numbers that were lost
    while (!helper_->run("CREATE TABLE IF NOT EXISTS t" + std::to_string(i) + " ()"))
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }

  const auto status = committed.get();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().outcome_unknown(), status.error().retryable());
  EXPECT_EQ(rows(), 0);
}

TEST_F(LostCommitTest, SaysThatItDoesNotKnowWhereNothingTellsTheTransaction) {
  {
    const SessionHandle both[] = {begin(), begin()};
    for (const auto& earlier : both) {
      ASSERT_TRUE(run(earlier, "INSERT INTO slow VALUES (0.0)"));
      ASSERT_TRUE(commit(earlier)) << "COMMIT is prepared now, and leaves with what goes ahead";
    }
  }
  const auto session = begin();
  ASSERT_TRUE(run(session, "INSERT INTO slow VALUES (0)"));
  proxy_->strike({.kind = Fault::Kind::cut, .direction = Direction::to_server, .after = 1});

  const auto committed = commit(session);

  ASSERT_FALSE(committed);
  EXPECT_TRUE(committed.error().outcome_unknown()) << committed.error().to_string();
  EXPECT_FALSE(committed.error().retryable());
  EXPECT_EQ(committed.error().code(), "08007");
}

TEST_F(LostCommitTest, KnowsOfAStatementThatLeftWithItsCommit) {
  ASSERT_TRUE(helper_->run("DROP TABLE IF EXISTS quick"));
  ASSERT_TRUE(helper_->run("CREATE TABLE quick (n INTEGER)"));
  std::int64_t committed_rows = 0;
  for (int i = 0; i < 8; ++i) {  // known soon, and then it leaves with its COMMIT
    const auto session = begin();
    Awaited<ExecuteReply> reply;
    Awaited<sdk::Status> committed;
    session.execute({.sql = "SELECT 1 AS n"}, [&, session](const ExecuteReply&) {
      if (i % 2 == 1)
        proxy_->strike(test::cut_behind_number());
      session.execute({.sql = "INSERT INTO quick VALUES ($1)", .sets = {{sdk::Value{i}}}},
                      reply.callback());
      session.commit(committed.callback());
    });
    const auto inserted = std::move(reply.get().results.front());
    EXPECT_TRUE(inserted) << inserted.error().to_string();
    const auto status = committed.get();
    // The server may not have come to the COMMIT: then that is what is said.
    if (!status) {
      EXPECT_FALSE(status.error().outcome_unknown()) << status.error().to_string();
    }
    committed_rows += status ? 1 : 0;
  }
  EXPECT_EQ(helper_->rows("SELECT count(*) AS n FROM quick").items()[0].find("n")->as_integer(),
            committed_rows);
  EXPECT_GE(committed_rows, 4);
}

TEST_F(LostCommitTest, KnowsThatWhatNeverLeftDidNotHappen) {
  const auto session = begin();
  ASSERT_TRUE(run(session, "INSERT INTO slow VALUES (0)"));
  helper_->rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'victim' AND state LIKE 'idle in%'");
  while (pool_->info().losses == 0)
    std::this_thread::yield();

  const auto committed = commit(session);
  ASSERT_FALSE(committed);
  EXPECT_FALSE(committed.error().outcome_unknown());
  EXPECT_TRUE(committed.error().retryable());
  EXPECT_EQ(rows(), 0);
}

}  // namespace
}  // namespace millrace::actors
