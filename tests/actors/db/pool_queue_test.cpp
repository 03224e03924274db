// Who waits for what in a pool, and what a connection that cannot be opened means to the others.
#include "tests/actors/db/pool_core_fixture.hpp"

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

TEST_F(PoolCoreTest, AKeyGoesOnElsewhereWhenItsConnectionIsLostOrLent) {
  make({.min_size = 2, .max_size = 2, .lane_depth = 2}, 1);
  connect(1);
  connect(opened_.back());
  const auto first = submit(2, "UPDATE a SET b = 1", 5);
  const auto second = submit(1, "UPDATE a SET b = 2", 5);
  ASSERT_EQ(sent_.size(), 2U);
  const auto busy = sent_.front().connection;
  const auto spare = busy == 1 ? opened_.back() : ConnectionId{1};
  lose(busy, false,
       {{sent_[0].entry.id, sdk::StatementPhase::written},
        {sent_[1].entry.id, sdk::StatementPhase::written}});
  EXPECT_TRUE(*first);

  ASSERT_EQ(sent_.size(), 3U) << "the second of the key must not wait for what is gone";
  EXPECT_EQ(sent_.back().connection, spare);
}

TEST_F(PoolCoreTest, AKeyWaitsForTheRetryOfItsOldest) {
  make({.min_size = 1, .max_size = 1});
  connect(1);
  submit(1, "UPDATE a SET b = 1", 5);
  answer(1, conflict());
  submit(1, "UPDATE a SET b = 2", 5);
  EXPECT_TRUE(sent_.empty()) << "the younger one must not overtake";
  pass(3s);

  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_EQ(sent_[0].entry.statement->sql, "UPDATE a SET b = 1");
  EXPECT_EQ(sent_[1].entry.statement->sql, "UPDATE a SET b = 2");
}

TEST_F(PoolCoreTest, IsNotDownWhileOneOfItsConnectionsWorks) {
  make({.min_size = 1, .max_size = 4});
  connect(1);
  want_session();
  ASSERT_EQ(granted_.size(), 1U);
  const auto waits = want_session();
  for (int i = 0; i < 6; ++i) {
    lose(opened_.back(), false);
    pass(11s);
    if (*waits)
      break;
  }
  EXPECT_FALSE(core_->info().down);
  core_->released(1, true, now_);
  collect();
  const auto reply = submit();
  EXPECT_FALSE(*reply && !(*reply)->results[0]) << "nobody is refused";
}

TEST_F(PoolCoreTest, ProbesADownServerAlsoWithoutAMinimumAndSleepsWhileAProbeIsUnderWay) {
  make({.min_size = 0, .max_size = 4});
  submit();
  for (int i = 0; i < 3; ++i) {
    lose(opened_.back(), false);
    if (i < 2)
      pass(1s);
  }
  ASSERT_TRUE(core_->info().down);
  const auto probes = opened_.size();
  ASSERT_TRUE(core_->next_tick());
  EXPECT_GT(*core_->next_tick(), now_);
  pass(11s);
  EXPECT_EQ(opened_.size(), probes + 1);
  EXPECT_FALSE(core_->next_tick() && *core_->next_tick() <= now_) << "no ticks while connecting";
  connect(opened_.back());
  EXPECT_FALSE(core_->info().down);
}

TEST_F(PoolCoreTest, LetsThePipelinesBacklogWaitAsLongAsItTakes) {
  make({.max_size = 1, .timeout = 30s, .max_waiting = 2, .max_lifetime = 0s});
  connect(1);
  want_session();
  std::vector<std::shared_ptr<std::optional<ExecuteReply>>> backlog;
  for (int i = 0; i < 5; ++i) {
    auto reply = std::make_shared<std::optional<ExecuteReply>>();
    auto request = std::make_shared<Request>(
      std::vector<sdk::Statement>{{.sql = "INSERT INTO t VALUES (1)"}}, false,
      [reply](ExecuteReply answer) { *reply = std::move(answer); });
    request->backlog = true;
    core_->submit(std::move(request), now_);
    backlog.push_back(std::move(reply));
  }
  const auto caller = submit();
  ASSERT_TRUE(*caller) << "a caller is told at once";
  EXPECT_EQ((*caller)->results[0].error().kind(), ErrorKind::overloaded);
  pass(3600s);
  for (const auto& reply : backlog)
    EXPECT_FALSE(*reply);
  EXPECT_FALSE(core_->next_tick() && *core_->next_tick() <= now_);

  core_->released(1, true, now_);
  collect();
  answer(5);
  for (const auto& reply : backlog)
    EXPECT_TRUE(*reply && (*reply)->results[0]);
}

TEST_F(PoolCoreTest, LetsWritersTakeTurnsWhereTheDriverHasOne) {
  PoolLimits limits{.connections = 4, .lane = 1, .writing_sessions = 1, .server = "test"};
  limits.pool.min_size = 4;
  core_.emplace(std::move(limits), 7);
  core_->start(now_);
  collect();
  // NOLINTNEXTLINE(modernize-loop-convert): it grows meanwhile
  for (std::size_t i = 0; i < opened_.size(); ++i)
    connect(opened_[i]);
  want_session();
  want_session();
  EXPECT_EQ(granted_.size(), 1U);
  auto reader = std::make_shared<SessionRequest>();
  reader->options.read_only = true;
  reader->done = [](const sdk::Result<SessionHandle>&) {};
  core_->submit(reader, now_);
  collect();
  EXPECT_EQ(granted_.size(), 2U) << "who only reads does not wait";
  core_->released(granted_.front(), true, now_);
  collect();
  EXPECT_EQ(granted_.size(), 3U);
}

}  // namespace
}  // namespace millrace::actors::db
