// Statements that take too long: the server ends them, or the caller is answered all the same.
#include "tests/actors/db/postgres_fixture.hpp"
#include "tests/support/fault_proxy.hpp"

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using test::Direction;
using test::Fault;
using Clock = std::chrono::steady_clock;

class StatementDeadlineTest : public PostgresTest {
protected:
  void prepare() override {
    helper_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
    proxy_ = std::make_unique<test::FaultProxy>(test::Endpoint{server_->host(), server_->port()});
    case_.settings.hosts = {{"127.0.0.1", proxy_->port()}};
    case_.settings.pool.max_size = 2;
    case_.settings.pool.lane_connections = 1;
    open();
    make_table(*helper_, "d", "id INTEGER");
  }

  Awaited<ExecuteReply> start(std::string sql, std::chrono::milliseconds timeout = 0ms,
                              bool idempotent = false) {
    sdk::Statement statement{.sql = std::move(sql)};
    if (timeout > 0ms)
      statement.options.timeout = timeout;
    statement.options.idempotent = idempotent;
    Awaited<ExecuteReply> reply;
    pool_->handle().execute(std::move(statement), reply.callback());
    return reply;
  }

  static sdk::Result<sdk::SqlResult> result_of(Awaited<ExecuteReply> reply) {
    return std::move(reply.get().results.front());
  }

  std::unique_ptr<PoolFixture> helper_;
  std::unique_ptr<test::FaultProxy> proxy_;
};

TEST_F(StatementDeadlineTest, EndsAStatementAloneAmongItsNeighbours) {
  ASSERT_TRUE(pool_->run("SELECT 1"));
  auto before = start("INSERT INTO d VALUES (1)");
  auto slow = start("SELECT pg_sleep(10)", 100ms);
  std::vector<Awaited<ExecuteReply>> behind;
  for (int i = 0; i < 20; ++i)
    behind.push_back(start("INSERT INTO d VALUES (2)"));

  EXPECT_TRUE(result_of(before));
  const auto ended = result_of(slow);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind(), ErrorKind::timeout);
  EXPECT_EQ(ended.error().code(), "57014");
  EXPECT_FALSE(ended.error().outcome_unknown());
  for (auto& reply : behind)
    EXPECT_TRUE(result_of(reply));
  EXPECT_EQ(integer(*helper_, "SELECT count(*) AS n FROM d"), 21);
  EXPECT_EQ(pool_->info().losses, 0U);
}

TEST_F(StatementDeadlineTest, AnswersInTimeThoughTheServerDoesNot) {
  ASSERT_TRUE(pool_->run("INSERT INTO d VALUES (1)"));
  proxy_->strike({.kind = Fault::Kind::stall, .direction = Direction::to_client});
  const auto asked = Clock::now();
  const auto write = result_of(start("INSERT INTO d VALUES (1)", 200ms));
  EXPECT_LT(Clock::now() - asked, 1500ms);
  ASSERT_FALSE(write);
  EXPECT_EQ(write.error().kind(), ErrorKind::timeout) << write.error().to_string();
  EXPECT_TRUE(write.error().outcome_unknown()) << "it was sent, and nobody knows";

  // What comes next goes elsewhere, at the latest when the stalled connection is given up.
  EXPECT_TRUE(pool_->run("SELECT 1"));
}

TEST_F(StatementDeadlineTest, KnowsThatAReadThatWasNotAnsweredDidNoHarm) {
  case_.settings.statement_timeout = 200ms;
  open();
  ASSERT_TRUE(pool_->run("SELECT 1"));
  proxy_->strike({.kind = Fault::Kind::stall, .direction = Direction::to_client});
  const auto read = result_of(start("SELECT 1", 0ms, true));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), "57014");
  EXPECT_FALSE(read.error().outcome_unknown());
}

TEST_F(StatementDeadlineTest, AnswersASessionInTimeThoughTheServerDoesNot) {
  const auto session = pool_->begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(*session, "INSERT INTO d VALUES (1)"));
  proxy_->strike({.kind = Fault::Kind::stall, .direction = Direction::to_client});
  sdk::Statement slow{.sql = "INSERT INTO d VALUES (2)"};
  slow.options.timeout = 100ms;
  Awaited<ExecuteReply> reply;
  const auto asked = Clock::now();
  session->execute(std::move(slow), reply.callback());
  const auto result = result_of(reply);
  EXPECT_LT(Clock::now() - asked, 1500ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::timeout);
  EXPECT_FALSE(commit(*session));
  EXPECT_EQ(helper_->rows("SELECT 1 AS n FROM d").size(), 0U);
}

TEST_F(StatementDeadlineTest, GivesEachStatementItsOwnTimeHoweverManyAreBeforeIt) {
  case_.settings.pool.max_size = 1;
  open();
  ASSERT_TRUE(pool_->run("SELECT 1"));
  std::vector<Awaited<ExecuteReply>> replies;
  for (int i = 0; i < 6; ++i)
    replies.push_back(start("SELECT pg_sleep(0.2)", 400ms));
  for (auto& reply : replies) {
    const auto result = result_of(reply);
    EXPECT_TRUE(result) << result.error().to_string();
  }
}

TEST_F(StatementDeadlineTest, CostsNoRoundTripOfItsOwn) {
  constexpr auto late = 60ms;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool_->run("SELECT pg_backend_pid()"));
    ASSERT_TRUE(result_of(start("SELECT pg_backend_pid()", 100ms)));
  }
  proxy_->strike({.kind = Fault::Kind::delay, .direction = Direction::to_server, .pause = late});
  const auto took = [&](std::chrono::milliseconds timeout) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const auto asked = Clock::now();
      EXPECT_TRUE(result_of(start("SELECT pg_backend_pid()", timeout)));
      best = std::min(best, Clock::now() - asked);
    }
    return best;
  };
  const auto without = took(0ms);
  const auto with = took(2000ms);
  EXPECT_GE(without, late);
  EXPECT_LT(with, without + late / 2);
}

TEST_F(StatementDeadlineTest, LeavesAConnectionAfterAnErrorThatSaysSo) {
  ASSERT_TRUE(helper_->run("CREATE OR REPLACE FUNCTION fail_io() RETURNS int LANGUAGE plpgsql AS "
                           "$$ BEGIN RAISE EXCEPTION 'disk' USING ERRCODE = '58030'; END $$"));
  const auto backend = [this] { return integer(*pool_, "SELECT pg_backend_pid() AS n"); };
  const auto first = backend();
  EXPECT_EQ(pool_->run("SELECT fail_io()").error().code(), "58030");
  EXPECT_NE(backend(), first);
}

}  // namespace
}  // namespace millrace::actors
