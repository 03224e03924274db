// The pool's decisions, with scripted time and no actors.
#include "tests/actors/db/pool_core_fixture.hpp"

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

TEST_F(PoolCoreTest, OpensItsMinimumAndAnswersWhatComesInOrder) {
  make({.min_size = 1, .max_size = 4});
  ASSERT_EQ(opened_.size(), 1U);
  const auto reply = submit(3);
  EXPECT_TRUE(sent_.empty());
  connect(opened_[0]);

  ASSERT_EQ(sent_.size(), 3U);
  EXPECT_EQ(sent_[2].entry.set, 2U);
  EXPECT_TRUE(sent_[0].entry.sync);
  answer(2);
  EXPECT_FALSE(*reply);
  answer(1);
  ASSERT_TRUE(*reply);
  EXPECT_EQ((*reply)->results.size(), 3U);
}

TEST_F(PoolCoreTest, KeepsNoMoreInFlightThanTheLanesDepth) {
  make({.max_size = 1, .lane_depth = 8});
  connect(1);
  const auto reply = submit(20);
  EXPECT_EQ(sent_.size(), 8U);
  answer(3);
  EXPECT_EQ(sent_.size(), 5U) << "refilled in lumps";
  answer(1);
  EXPECT_EQ(sent_.size(), 8U);
  answer(8);
  answer(8);
  EXPECT_TRUE(*reply);
}

TEST_F(PoolCoreTest, SendsABatchUnderOneSync) {
  make({.max_size = 1, .lane_depth = 2});
  connect(1);
  submit(5, "INSERT INTO t VALUES (1)", 0, true);
  ASSERT_EQ(sent_.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(sent_[i].entry.sync, i == 4);
}

TEST_F(PoolCoreTest, NeverOpensMoreThanTheLimit) {
  make({.min_size = 1, .max_size = 3});
  for (int i = 0; i < 10; ++i)
    want_session();
  // NOLINTNEXTLINE(modernize-loop-convert): it grows meanwhile
  for (std::size_t i = 0; i < opened_.size(); ++i)
    connect(opened_[i]);
  EXPECT_EQ(opened_.size(), 3U);
  EXPECT_EQ(granted_.size(), 3U);
  core_->released(granted_[0], false, now_);
  collect();
  EXPECT_EQ(closed_.size(), 1U);
  EXPECT_EQ(opened_.size(), 3U) << "one that is just closing counts";
  lose(closed_[0], false);
  EXPECT_EQ(opened_.size(), 4U);
}

TEST_F(PoolCoreTest, GrowsSlowlySoThatASpikeIsOverBeforeACrowdIsOpen) {
  make({.min_size = 1, .max_size = 50}, 12);
  for (int i = 0; i < 50; ++i)
    submit();
  EXPECT_EQ(opened_.size(), 1U);
  connect(1);
  answer(sent_.size());
  EXPECT_LT(opened_.size(), 4U);
}

TEST_F(PoolCoreTest, TakesTheOnlyConnectionFromTheLaneForASessionAndGivesItBack) {
  make({.max_size = 1, .lane_depth = 4});
  connect(1);
  const auto reply = submit(100);
  want_session();
  EXPECT_TRUE(granted_.empty());
  answer(4);
  ASSERT_EQ(granted_.size(), 1U);
  EXPECT_TRUE(sent_.empty());
  core_->released(1, true, now_);
  collect();
  EXPECT_FALSE(sent_.empty());
  while (!sent_.empty())
    answer(1);
  EXPECT_TRUE(*reply);
}

TEST_F(PoolCoreTest, RepeatsAConflictAloneAfterAWait) {
  make({.max_size = 1});
  connect(1);
  const auto reply = submit(3);
  answer(1);
  answer(1, conflict());
  answer(1);
  EXPECT_FALSE(*reply);
  pass(2s);
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].entry.set, 1U);
  answer(1);
  ASSERT_TRUE(*reply);
  EXPECT_TRUE((*reply)->results[1]);
}

TEST_F(PoolCoreTest, GivesTheLastErrorWithItsAttempts) {
  make({.max_size = 1});
  connect(1);
  const auto reply = submit();
  for (int i = 0; i < 3; ++i) {
    answer(1, conflict());
    pass(2s);
  }
  ASSERT_TRUE(*reply);
  EXPECT_EQ((*reply)->results[0].error().code(), "40001");
  EXPECT_EQ((*reply)->results[0].error().attempts(), 3U);
}

TEST_F(PoolCoreTest, RepeatsAfterALossOnlyWhatCannotHaveHappened) {
  make({.max_size = 1});
  connect(1);
  const auto reply = submit(3, "INSERT INTO t VALUES (1)");
  const auto sent = sent_;
  sent_.clear();
  lose(1, false,
       {{sent[0].entry.id, sdk::StatementPhase::complete},
        {sent[1].entry.id, sdk::StatementPhase::written},
        {sent[2].entry.id, sdk::StatementPhase::queued}});
  connect(opened_.back());
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].entry.set, 2U);
  answer(1);
  ASSERT_TRUE(*reply);
  EXPECT_TRUE((*reply)->results[0].error().outcome_unknown());
  EXPECT_TRUE((*reply)->results[1].error().outcome_unknown());
  EXPECT_TRUE((*reply)->results[2]);
}

TEST_F(PoolCoreTest, ProbesADownServerAloneForEverAndFailsFastMeanwhile) {
  make({.min_size = 1, .max_size = 4});
  const auto early = submit();
  for (int i = 0; i < 3; ++i) {
    lose(opened_.back(), false);
    pass(1s);
  }
  ASSERT_TRUE(*early) << "who waited is told";
  EXPECT_EQ((*early)->results[0].error().kind(), ErrorKind::connection);
  EXPECT_TRUE(core_->info().down);
  const auto probes = opened_.size();
  const auto late = submit();
  ASSERT_TRUE(*late);
  EXPECT_TRUE((*late)->results[0].error().retryable());
  EXPECT_EQ(opened_.size(), probes) << "one prober";
  for (int i = 0; i < 50; ++i) {
    lose(opened_.back(), false);
    pass(11s);
  }
  EXPECT_EQ(opened_.size(), probes + 50);

  connect(opened_.back());
  EXPECT_FALSE(core_->info().down);
  const auto reply = submit();
  answer(1);
  EXPECT_TRUE(*reply);
}

TEST_F(PoolCoreTest, AsksAServerThatRefusesUsSlowlyOnceItHasSaidSoAFewTimes) {
  make({.min_size = 1, .max_size = 1});
  const auto refuse = [this] {
    sdk::WireLoss loss{lost_};
    loss.other_host_may_do = false;
    core_->lost(opened_.back(), loss, now_);
    collect();
  };
  refuse();
  EXPECT_TRUE(core_->info().down) << "nobody waits for settings that are wrong";
  // A password and the file that tells it are seldom changed in the same instant.
  for (std::size_t attempt = 2; attempt <= 6; ++attempt) {
    pass(2s);
    ASSERT_EQ(opened_.size(), attempt);
    refuse();
  }
  pass(29s);
  EXPECT_EQ(opened_.size(), 6U);
  pass(2s);
  EXPECT_EQ(opened_.size(), 7U);
}

TEST_F(PoolCoreTest, ARequestMakesTheProberLookAgainWithinASecond) {
  make({.min_size = 1, .max_size = 1});
  for (int i = 0; i < 20; ++i) {
    lose(opened_.back(), false);
    if (i < 19)
      pass(11s);
  }
  const auto probes = opened_.size();
  submit();
  ASSERT_TRUE(core_->next_tick());
  EXPECT_LE(*core_->next_tick() - now_, 1s);
  pass(1s);
  EXPECT_EQ(opened_.size(), probes + 1);
}

TEST_F(PoolCoreTest, RefusesAtOnceWhenTooManyWait) {
  make({.max_size = 1, .max_waiting = 2});
  submit();
  submit();
  const auto refused = submit();
  ASSERT_TRUE(*refused);
  EXPECT_EQ((*refused)->results[0].error().kind(), ErrorKind::overloaded);
}

TEST_F(PoolCoreTest, TellsWhoWaitedTooLongHowFullItWas) {
  make({.max_size = 1, .timeout = 30s});
  connect(1);
  want_session();
  const auto refused = want_session();
  const auto reply = submit();
  pass(29s);
  EXPECT_FALSE(*refused);
  pass(1s);
  ASSERT_TRUE(*refused);
  EXPECT_EQ((*refused)->kind(), ErrorKind::timeout);
  EXPECT_NE((*refused)->message().find("1 of 1 open, 1 in transactions"), std::string::npos);
  ASSERT_TRUE(*reply);
}

TEST_F(PoolCoreTest, KeepsRequestsOfOneKeyOnOneConnection) {
  make({.min_size = 2, .max_size = 2, .lane_depth = 2}, 2);
  connect(1);
  for (std::size_t i = 1; i < opened_.size(); ++i)
    connect(opened_[i]);
  submit(2, "UPDATE a SET b = 1", 5);
  submit(2, "UPDATE a SET b = 2", 5);
  submit(1, "SELECT 1");
  connect(2);
  for (const auto& [connection, entry] : sent_) {
    if (entry.statement->options.order_key == 5) {
      EXPECT_EQ(connection, sent_[0].connection);
    }
  }
  EXPECT_EQ(sent_.size(), 3U) << "the second waits for the first, the third does not";
}

TEST_F(PoolCoreTest, RetiresOldAndIdleConnectionsButNotItsMinimum) {
  make({.min_size = 1, .max_size = 3, .max_lifetime = 3600s, .max_idle = 60s});
  connect(1);
  want_session();
  want_session();
  for (std::size_t i = 1; i < opened_.size(); ++i)
    connect(opened_[i]);
  ASSERT_EQ(granted_.size(), 2U);
  core_->released(granted_[0], true, now_);
  core_->released(granted_[1], true, now_);
  collect();
  pass(61s);
  EXPECT_EQ(core_->info().total - closed_.size(), 1U);
}

TEST_F(PoolCoreTest, AnswersEverythingWhenItIsShut) {
  make({.max_size = 1});
  connect(1);
  const auto on_the_way = submit(2, "INSERT INTO t VALUES (1)");
  want_session();
  const auto session = want_session();
  core_->shut({ErrorKind::connection, "closed"});
  ASSERT_TRUE(*on_the_way);
  EXPECT_TRUE((*on_the_way)->results[0].error().outcome_unknown());
  EXPECT_TRUE(*session);
  const auto late = submit();
  EXPECT_TRUE(*late);
}

TEST(RequestTest, AnswersForItselfWhenItIsDropped) {
  std::optional<ExecuteReply> reply;
  {
    const Request request{{{.sql = "SELECT 1", .sets = {{}, {}}}}, false, [&](ExecuteReply answer) {
                            reply = std::move(answer);
                          }};
  }
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->results.size(), 2U);
  EXPECT_EQ(reply->results[1].error().kind(), ErrorKind::connection);
}

}  // namespace
}  // namespace millrace::actors::db
