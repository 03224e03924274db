// Which connections the pool still trusts, which it leaves, and who holds one for too long.
#include "tests/actors/db/pool_core_fixture.hpp"

#include <algorithm>
#include <set>

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

TEST_F(PoolCoreTest, AsksAConnectionThatWasIdleForASecondBeforeItIsLent) {
  make_asking({.max_size = 1});
  connect(1);
  want_session();
  ASSERT_EQ(granted_.size(), 1U) << "a fresh one is lent at once";
  release(1);
  pass(1001ms);
  want_session();
  EXPECT_EQ(granted_.size(), 1U);
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].entry.statement->sql, "SELECT 1");
  answer(1);
  EXPECT_EQ(granted_.size(), 2U);
  EXPECT_EQ(core_->info().statements, 0U) << "nobody's statement";
}

TEST_F(PoolCoreTest, AsksBeforeAStatementToo) {
  make_asking({.max_size = 1});
  connect(1);
  pass(2s);
  const auto reply = submit(1, "INSERT INTO t VALUES (1)");
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].entry.statement->sql, "SELECT 1");
  answer(1);
  ASSERT_EQ(sent_.size(), 1U);
  answer(1);
  EXPECT_TRUE(*reply);
}

TEST_F(PoolCoreTest, DoesNotAskWhereItIsToldNotTo) {
  make({.max_size = 1});
  connect(1);
  pass(60s);
  want_session();
  EXPECT_EQ(granted_.size(), 1U);
}

TEST_F(PoolCoreTest, LeavesAConnectionThatDoesNotAnswerAndServesTheCallerWithAnother) {
  make_asking({.max_size = 2});
  connect(1);
  pass(5s);
  const auto refused = want_session();
  ASSERT_EQ(sent_.size(), 1U);
  pass(999ms);
  EXPECT_TRUE(closed_.empty());
  pass(1ms);
  EXPECT_EQ(closed_, std::vector<ConnectionId>{1});
  connect(opened_.back());
  EXPECT_EQ(granted_, std::vector<ConnectionId>{opened_.back()});
  EXPECT_FALSE(*refused);
}

TEST_F(PoolCoreTest, ReplacesAConnectionThatIsFoundBroken) {
  make_asking({.max_size = 1});
  connect(1);
  pass(5s);
  const auto reply = submit(1, "INSERT INTO t VALUES (1)");
  lose(1, false, {{sent_[0].entry.id, sdk::StatementPhase::written}});
  sent_.clear();
  connect(opened_.back());
  answer(1);
  ASSERT_TRUE(*reply);
  EXPECT_TRUE((*reply)->results[0]) << "the write had not been sent, so nothing is unknown";
}

TEST_F(PoolCoreTest, AnswersAnUrgentRequestWithinASecondWhateverTheOthersDo) {
  make({.min_size = 1, .max_size = 1, .lane_depth = 4});
  connect(1);
  submit(100);
  ASSERT_EQ(sent_.size(), 4U);
  std::optional<ExecuteReply> reply;
  const auto ask = [&] {
    reply.reset();
    auto request = std::make_shared<Request>(
      std::vector<sdk::Statement>{{.sql = "SELECT 2"}}, false,
      [&reply](ExecuteReply answer) { reply = std::move(answer); });
    request->urgent = true;
    core_->submit(std::move(request), now_);
    collect();
  };
  ask();
  ASSERT_EQ(sent_.size(), 5U) << "beyond the depth, ahead of all that wait";
  EXPECT_EQ(sent_.back().entry.statement->sql, "SELECT 2");
  pass(999ms);
  EXPECT_FALSE(reply);
  pass(1ms);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->results[0].error().code(), "57014") << "nobody was answered meanwhile";

  ask();
  pass(500ms);
  answer(1);
  pass(500ms);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->results[0].error().code(), "pool_timeout") << "the server works, and is busy";
  while (!sent_.empty())
    answer(1);
  EXPECT_EQ(core_->info().waiting, 0U);
  EXPECT_EQ(core_->info().statements, 102U);
}

TEST_F(PoolCoreTest, SaysOnceWhoHoldsASessionForTooLongAndWhenItCameBack) {
  make({.max_size = 2, .leak_threshold = 10s});
  connect(1);
  want_session("pipeline 'orders', step 'pay'");
  ASSERT_TRUE(core_->next_tick());
  EXPECT_LE(*core_->next_tick(), now_ + 10s);
  pass(9999ms);
  EXPECT_TRUE(leaks_.empty());
  pass(1ms);
  pass(10s);
  ASSERT_EQ(leaks_.size(), 1U);
  EXPECT_EQ(leaks_[0].holder, "pipeline 'orders', step 'pay'");
  EXPECT_EQ(leaks_[0].held, 10s);
  release(1);
  ASSERT_EQ(leaks_.size(), 2U);
  EXPECT_TRUE(leaks_[1].returned);
  EXPECT_EQ(leaks_[1].held, 20s);
}

TEST_F(PoolCoreTest, TakesNoListenerForALeak) {
  make({.max_size = 1, .max_lifetime = 0s, .max_idle = 0s, .leak_threshold = 10s});
  connect(1);
  auto request = std::make_shared<SessionRequest>();
  request->options.plain = true;
  request->done = [](const sdk::Result<SessionHandle>&) {};
  core_->submit(request, now_);
  collect();
  ASSERT_EQ(granted_.size(), 1U);
  EXPECT_FALSE(core_->next_tick()) << "nothing is due";
  pass(60s);
  release(1);
  EXPECT_TRUE(leaks_.empty());
}

TEST_F(PoolCoreTest, EndsASessionWhoseTimeIsOver) {
  make({.max_size = 1});
  connect(1);
  want_session();
  waiting_sessions_.back()->options = {};
  release(1);
  auto request = std::make_shared<SessionRequest>();
  request->options.timeout = 5s;
  request->done = [](const sdk::Result<SessionHandle>&) {};
  core_->submit(request, now_);
  collect();
  pass(4999ms);
  EXPECT_TRUE(expired_.empty());
  ASSERT_TRUE(core_->next_tick());
  EXPECT_EQ(*core_->next_tick(), now_ + 1ms);
  pass(1ms);
  pass(10s);
  ASSERT_EQ(expired_.size(), 1U);
  EXPECT_EQ(expired_[0].error.kind(), ErrorKind::timeout);
}

TEST_F(PoolCoreTest, EndsASessionThatRestsForTooLongButNotOneThatWorks) {
  make({.max_size = 1});
  connect(1);
  auto request = std::make_shared<SessionRequest>();
  request->options.idle_timeout = 5s;
  request->done = [](const sdk::Result<SessionHandle>&) {};
  core_->submit(request, now_);
  collect();
  ASSERT_TRUE(pulse_);
  pass(4s);
  pulse_->work();
  pass(60s);
  EXPECT_TRUE(expired_.empty());
  pulse_->rest(now_);
  pass(4999ms);
  EXPECT_TRUE(expired_.empty());
  pass(1ms);
  ASSERT_EQ(expired_.size(), 1U);
  EXPECT_EQ(expired_[0].error.code(), "25P03");
}

TEST_F(PoolCoreTest, ClosesWhatIsAboveItsSizeAsSoonAsNobodyNeedsIt) {
  make({.min_size = 0, .max_size = 1, .max_overflow = 2});
  for (int i = 0; i < 3; ++i)
    want_session();
  // NOLINTNEXTLINE(modernize-loop-convert): it grows meanwhile
  for (std::size_t i = 0; i < opened_.size(); ++i)
    connect(opened_[i]);
  ASSERT_EQ(granted_.size(), 3U);
  EXPECT_EQ(core_->info().overflow, 2U);
  want_session();
  release(granted_[0]);
  EXPECT_TRUE(closed_.empty()) << "somebody waits for it";
  release(granted_[1]);
  release(granted_[2]);
  EXPECT_EQ(closed_.size(), 2U);
  release(granted_[3]);
  EXPECT_EQ(closed_.size(), 2U);
}

TEST_F(PoolCoreTest, RetiresAnOldConnectionThatIsNeverIdle) {
  make({.min_size = 1, .max_size = 2, .max_lifetime = 100s, .lane_depth = 4});
  connect(1);
  const auto reply = submit(100);
  pass(100s);
  EXPECT_TRUE(closed_.empty());
  while (closed_.empty() && !sent_.empty())
    answer(1);
  EXPECT_EQ(closed_, std::vector<ConnectionId>{1});
  EXPECT_FALSE(*reply);
  connect(opened_.back());
  while (!sent_.empty())
    answer(1);
  ASSERT_TRUE(*reply);
  EXPECT_TRUE(std::ranges::all_of((*reply)->results, [](const auto& result) { return !!result; }));
}

TEST_F(PoolCoreTest, SpreadsTheEndsOfConnectionsOverATenthOfTheirLife) {
  make({.min_size = 20, .max_size = 20, .max_lifetime = 1000s, .max_idle = 0s});
  // NOLINTNEXTLINE(modernize-loop-convert): it grows meanwhile
  for (std::size_t i = 0; i < opened_.size(); ++i)
    connect(opened_[i]);
  ASSERT_EQ(opened_.size(), 20U);
  pass(899s);
  EXPECT_TRUE(closed_.empty());
  std::set<std::size_t> steps;
  for (int i = 0; i < 102; ++i) {
    pass(1s);
    steps.insert(closed_.size());
  }
  EXPECT_GE(closed_.size(), 20U);
  EXPECT_GT(steps.size(), 10U) << "not all at once";
}

TEST_F(PoolCoreTest, UsesTheConnectionUsedLastOrTheOneUsedLongestAgo) {
  for (const bool lifo : {true, false}) {
    opened_.clear();
    granted_.clear();
    make({.min_size = 2, .max_size = 2, .lifo = lifo});
    // NOLINTNEXTLINE(modernize-loop-convert): it grows meanwhile
    for (std::size_t i = 0; i < opened_.size(); ++i) {
      connect(opened_[i]);
      pass(10ms);
    }
    want_session();
    EXPECT_EQ(granted_.back(), lifo ? 2U : 1U);
  }
}

TEST_F(PoolCoreTest, LeavesAServerThatTakesNoWritesAnyMore) {
  make({.min_size = 2, .max_size = 2}, 1, true);
  connect(1);
  pass(1ms);
  connect(opened_.back());
  want_session();
  ASSERT_EQ(granted_, std::vector<ConnectionId>{2});
  const auto reply = submit(1, "INSERT INTO t VALUES (1)");
  answer(1, sdk::Error{ErrorKind::execution, "read-only", {.code = "25006"}});
  EXPECT_FALSE(*reply) << "it never ran, and another host may take it";
  EXPECT_EQ(closed_, std::vector<ConnectionId>{1});
  release(2);
  EXPECT_EQ(closed_.size(), 2U) << "all of them were to the same server";
  lose(1, false);
  lose(2, false);
  pass(1s);
  connect(opened_.back());
  answer(1);
  ASSERT_TRUE(*reply);
  EXPECT_TRUE((*reply)->results[0]);
}

TEST_F(PoolCoreTest, TakesAReadOnlyRefusalAsItIsWhereItNeverAskedForAServerThatWrites) {
  make({.max_size = 1});
  connect(1);
  const auto reply = submit(1, "INSERT INTO t VALUES (1)");
  answer(1, sdk::Error{ErrorKind::execution, "read-only", {.code = "25006"}});
  ASSERT_TRUE(*reply);
  EXPECT_EQ((*reply)->results[0].error().kind(), ErrorKind::execution);
  EXPECT_TRUE(closed_.empty());
}

TEST_F(PoolCoreTest, ReportsRetriesByTheirState) {
  make({.max_size = 1});
  connect(1);
  submit();
  answer(1, conflict());
  ASSERT_EQ(retries_.size(), 1U);
  EXPECT_EQ(retries_[0].sqlstate, "40001");
  EXPECT_EQ(retries_[0].attempt, 1U);
}

}  // namespace
}  // namespace millrace::actors::db
