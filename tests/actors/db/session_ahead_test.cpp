// A statement whose COMMIT comes right behind it: both leave under one Sync, and nobody can tell.
#include "tests/actors/db/conformance.hpp"

#include <chrono>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;

struct Ended {
  sdk::Result<sdk::SqlResult> statement;
  sdk::Status committed;
};

class SessionAheadTest : public ConformanceTest {
protected:
  void SetUp() override {
    ConformanceTest::SetUp();
    if (IsSkipped())
      return;
    make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    make("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
    make("CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id) "
         "DEFERRABLE INITIALLY DEFERRED)");
  }

  /// From within an answer: the session finds both in its mailbox.
  Ended run_and_commit(const std::string& sql, const sdk::Parameters& parameters = {}) {
    auto session = pool().begin();
    EXPECT_TRUE(session);
    Awaited<ExecuteReply> reply;
    Awaited<sdk::Status> committed;
    session->execute({.sql = "SELECT 1"}, [&, handle = *session](const ExecuteReply&) {
      handle.execute({.sql = sql, .sets = {parameters}}, reply.callback());
      handle.commit(committed.callback());
    });
    return {std::move(reply.get().results.front()), committed.get()};
  }

  /// So often that what is known of the statements changes on the way.
  static constexpr int rounds = 30;
};

TEST_P(SessionAheadTest, BothAreAnswered) {
  for (int i = 0; i < rounds; ++i) {
    const auto ended = run_and_commit("INSERT INTO t VALUES ($1)", {Value{i}});
    ASSERT_TRUE(ended.statement) << ended.statement.error().to_string();
    EXPECT_EQ(ended.statement->rowcount, 1);
    ASSERT_TRUE(ended.committed) << ended.committed.error().to_string();
  }
  EXPECT_EQ(count("t"), rounds);
}

TEST_P(SessionAheadTest, AStatementThatFailsTakesItsCommitAlong) {
  make("INSERT INTO t VALUES (1)");
  for (int i = 0; i < rounds; ++i) {
    const auto ended = run_and_commit("INSERT INTO t VALUES ($1)", {Value{1}});
    ASSERT_FALSE(ended.statement);
    EXPECT_EQ(ended.statement.error().code(), "23505") << ended.statement.error().to_string();
    ASSERT_FALSE(ended.committed);
    EXPECT_EQ(ended.committed.error().code(), "25P02") << ended.committed.error().to_string();
    EXPECT_EQ(ended.committed.error().kind(), ErrorKind::transaction);
  }
  EXPECT_EQ(count("t"), 1);
  EXPECT_LE(pool().info().total, 4U);
}

TEST_P(SessionAheadTest, AParameterThatCannotBeSentCommitsNothing) {
  for (int i = 0; i < rounds; ++i) {
    auto session = pool().begin();
    ASSERT_TRUE(session);
    Awaited<ExecuteReply> reply;
    Awaited<sdk::Status> committed;
    session->execute({.sql = "INSERT INTO t VALUES ($1)", .sets = {{Value{i}}}},
                     [&, handle = *session](const ExecuteReply&) {
                       handle.execute({.sql = "INSERT INTO t VALUES ($1)", .sets = {{}}},
                                      reply.callback());
                       handle.commit(committed.callback());
                     });
    EXPECT_FALSE(reply.get().results.front());
    EXPECT_FALSE(committed.get());
  }
  EXPECT_EQ(count("t"), 0);
}

TEST_P(SessionAheadTest, ACommitThatFailsLeavesTheStatementItsAnswer) {
  for (int i = 0; i < rounds; ++i) {
    const auto ended = run_and_commit("INSERT INTO child VALUES ($1, 7)", {Value{i}});
    EXPECT_TRUE(ended.statement) << ended.statement.error().to_string();
    ASSERT_FALSE(ended.committed);
    EXPECT_EQ(ended.committed.error().code(), "23503") << ended.committed.error().to_string();
  }
  EXPECT_EQ(count("child"), 0);
}

TEST_P(SessionAheadTest, ATransactionWhoseTimeIsOverDoesNotCommitBehindAStatementThatWaits) {
  if (!is_postgres())
    GTEST_SKIP() << "needs a lock that is waited for";
  make("INSERT INTO t VALUES (1)");
  for (int i = 0; i < 5; ++i)  // until its statement is known
    EXPECT_TRUE(run_and_commit("UPDATE t SET id = id WHERE id = $1", {Value{1}}).committed);
  auto holder = pool().begin();
  ASSERT_TRUE(holder);
  ASSERT_TRUE(run(*holder, "SELECT id FROM t FOR UPDATE"));
  auto session = pool().begin({.timeout = 300ms});
  ASSERT_TRUE(session);
  Awaited<ExecuteReply> reply;
  Awaited<sdk::Status> committed;
  session->execute({.sql = "SELECT 1"}, [&, handle = *session](const ExecuteReply&) {
    handle.execute({.sql = "UPDATE t SET id = id WHERE id = $1", .sets = {{Value{1}}}},
                   reply.callback());
    handle.commit(committed.callback());
  });
  EXPECT_FALSE(reply.get().results.front());
  EXPECT_FALSE(committed.get());
  EXPECT_TRUE(commit(*holder));
  EXPECT_EQ(count("t"), 1);
}

INSTANTIATE_TEST_SUITE_P(Drivers, SessionAheadTest,
                         testing::Values("sqlite", "postgres", "pgbouncer"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace millrace::actors
