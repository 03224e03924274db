#include "tests/actors/db/conformance.hpp"

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;

class SessionConformanceTest : public ConformanceTest {
protected:
  void SetUp() override {
    ConformanceTest::SetUp();
    if (!IsSkipped())
      make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  }

  SessionHandle begin(sdk::TransactionOptions options = {}) {
    auto session = pool().begin(options);
    EXPECT_TRUE(session) << session.error().to_string();
    return *session;
  }

  /// Waits until the pool has all its connections back.
  void all_returned() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (pool().info().checked_out > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    EXPECT_EQ(pool().info().checked_out, 0U);
  }
};

sdk::Status control(const SessionHandle& session,
                    void (SessionHandle::*what)(std::string, SessionHandle::Done) const,
                    const std::string& name) {
  Awaited<sdk::Status> status;
  (session.*what)(name, status.callback());
  return status.get();
}

TEST_P(SessionConformanceTest, KeepsWhatIsCommitted) {
  const auto session = begin();
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES ($1)", {Value{1}}));
  EXPECT_EQ(run(session, "SELECT id FROM t")->rows.size(), 1U);
  EXPECT_TRUE(commit(session));

  EXPECT_EQ(count("t"), 1);
  all_returned();
}

TEST_P(SessionConformanceTest, ForgetsWhatIsRolledBack) {
  const auto session = begin();
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(rollback(session));

  EXPECT_EQ(count("t"), 0);
  all_returned();
}

TEST_P(SessionConformanceTest, CommitsATransactionInWhichNothingWasDone) {
  EXPECT_TRUE(commit(begin()));
  EXPECT_TRUE(rollback(begin()));
  all_returned();
}

TEST_P(SessionConformanceTest, GoesBackToASavepointAlsoAfterAFailure) {
  const auto session = begin();
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(control(session, &SessionHandle::savepoint, "before \"it\""));
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (2)"));
  EXPECT_EQ(run(session, "INSERT INTO t VALUES (2)").error().code(), "23505");
  EXPECT_TRUE(control(session, &SessionHandle::rollback_to, "before \"it\""));
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (3)"));
  EXPECT_TRUE(control(session, &SessionHandle::release, "before \"it\""));
  EXPECT_TRUE(commit(session));

  EXPECT_EQ(count("t"), 2);
}

TEST_P(SessionConformanceTest, SaysOnceAndClearlyThatTheTransactionHasFailed) {
  const auto session = begin();
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
  EXPECT_EQ(run(session, "INSERT INTO nowhere VALUES (1)").error().code(), "42P01");

  const auto after = run(session, "INSERT INTO t VALUES (2)");
  EXPECT_EQ(after.error().kind(), ErrorKind::transaction);
  EXPECT_EQ(after.error().code(), "25P02");
  const auto committed = commit(session);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind(), ErrorKind::transaction);
  EXPECT_EQ(count("t"), 0);
}

TEST_P(SessionConformanceTest, FailsTheTransactionForAParameterThatCouldNotBeSent) {
  const auto session = begin();
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES ($1)", {Value{1}}));
  EXPECT_EQ(run(session, "INSERT INTO t VALUES ($1)", {Value{1}, Value{2}}).error().kind(),
            ErrorKind::execution);

  EXPECT_FALSE(commit(session));
  EXPECT_EQ(count("t"), 0);
}

TEST_P(SessionConformanceTest, StopsTheRestOfAMessageAtItsFirstFailure) {
  const auto session = begin();
  sdk::Statement insert{.sql = "INSERT INTO t VALUES ($1)",
                        .sets = {{Value{1}}, {Value{1}}, {Value{2}}}};
  Awaited<ExecuteReply> reply;
  session.execute(insert, reply.callback());
  const auto results = reply.get().results;

  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code(), "23505");
  EXPECT_EQ(results[2].error().code(), "25P02");
}

TEST_P(SessionConformanceTest, RefusesToBeginOrEndByAStatementsText) {
  const auto session = begin();
  EXPECT_EQ(run(session, "BEGIN").error().kind(), ErrorKind::transaction);
  EXPECT_EQ(run(session, " /* now */ commit").error().kind(), ErrorKind::transaction);
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(commit(session));

  const auto late = run(session, "SELECT 1");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::transaction);
  EXPECT_EQ(late.error().code(), "25P01");
  EXPECT_EQ(commit(session).error().code(), "25P01");
}

TEST_P(SessionConformanceTest, RollsBackAndReturnsTheConnectionWhenNobodyHoldsItAnyMore) {
  {
    const auto session = begin();
    EXPECT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
    EXPECT_EQ(pool().info().checked_out, 1U);
  }
  all_returned();
  EXPECT_EQ(count("t"), 0);
}

TEST_P(SessionConformanceTest, RollsBackWhenTheActorThatHoldsItDies) {
  auto holder = std::make_shared<SessionHandle>(begin());
  EXPECT_TRUE(run(*holder, "INSERT INTO t VALUES (1)"));
  {
    const auto actor = pool().system().spawn(
      [holder]() -> caf::behavior { return {[holder](int) {}}; });
    holder.reset();
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
  all_returned();
  EXPECT_EQ(count("t"), 0);
}

TEST_P(SessionConformanceTest, HidesItsWorkFromOthersUntilItsCommit) {
  const auto session = begin();
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
  EXPECT_EQ(count("t"), 0);
  EXPECT_TRUE(commit(session));
  EXPECT_EQ(count("t"), 1);
}

TEST_P(SessionConformanceTest, LetsOneStatementsOptionsEndWithIt) {
  const auto session = begin();
  sdk::Statement read{.sql = "SELECT 1"};
  read.options.read_only = true;
  read.options.timeout = 100ms;
  Awaited<ExecuteReply> reply;
  session.execute(read, reply.callback());
  EXPECT_TRUE(reply.get().results.front());
  EXPECT_TRUE(run(session, is_postgres() ? "INSERT INTO t SELECT 1 FROM pg_sleep(0.2)"
                                         : "INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(commit(session));

  EXPECT_EQ(count("t"), 1);
}

TEST_P(SessionConformanceTest, RefusesToWriteInAReadOnlyTransaction) {
  if (!is_postgres())
    GTEST_SKIP() << "SQLite's transactions have no such mode";
  const auto session = begin(
    {.isolation = sdk::Isolation::serializable, .read_only = true, .deferrable = true});
  EXPECT_EQ(run(session, "INSERT INTO t VALUES (1)").error().code(), "25006");
}

TEST_P(SessionConformanceTest, SaysHowFullThePoolIsWhenNoConnectionBecomesFree) {
  case_.settings.pool.max_size = 1;
  case_.settings.pool.timeout = 50ms;
  open();
  const auto session = begin();

  const auto waited = pool().begin();

  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().kind(), ErrorKind::timeout);
  EXPECT_NE(waited.error().message().find("1 of 1 open"), std::string::npos)
    << waited.error().message();
  EXPECT_TRUE(rollback(session));
  EXPECT_TRUE(commit(begin()));
}

TEST_P(SessionConformanceTest, SharesItsOnlyConnectionInTurns) {
  case_.settings.pool.max_size = 1;
  open();
  const auto session = begin();
  EXPECT_TRUE(run(session, "INSERT INTO t VALUES (1)"));
  Awaited<ExecuteReply> reply;
  pool().handle().execute({.sql = "SELECT count(*) AS n FROM t"}, reply.callback());
  EXPECT_TRUE(commit(session));

  EXPECT_EQ(reply.get().results.front()->rows.items()[0].find("n")->as_integer(), 1);
  EXPECT_EQ(pool().info().total, 1U);
}

TEST_P(SessionConformanceTest, RunsTransactionsBesideEachOther) {
  if (!is_postgres())
    GTEST_SKIP() << "SQLite has one writer";
  const auto first = begin();
  const auto second = begin();
  EXPECT_TRUE(run(first, "INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(run(second, "INSERT INTO t VALUES (2)"));
  EXPECT_EQ(pool().info().checked_out, 2U);
  EXPECT_TRUE(rollback(first));
  EXPECT_TRUE(commit(second));

  EXPECT_EQ(pool().rows("SELECT id FROM t").items()[0].find("id")->as_integer(), 2);
}

INSTANTIATE_TEST_SUITE_P(Drivers, SessionConformanceTest,
                         testing::Values("sqlite", "postgres", "pgbouncer"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace millrace::actors
