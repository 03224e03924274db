// batch, throttle, dedupe and delay: stages that hold records back.
#include "actors/steps/stage_fixture.hpp"
#include "actors/steps/stages.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::Outcome;
using testing::ElementsAre;

class HoldingStagesTest : public StageFixture {
protected:
  HoldingStagesTest() { step_.output = 5; }

  void start_gather(dsl::Gather gather) {
    gather_ = std::move(gather);
    gather_.item = slot_value(0);
    start(make_gather_stage(step_, gather_));
  }

  void start_dedupe() {
    dedupe_.key = slot_value(0);
    start(make_dedupe_stage(dedupe_));
  }

  void start_throttle(double per_second) {
    throttle_.per_second = per_second;
    start(make_throttle_stage(throttle_));
  }

  dsl::Gather gather_;
  dsl::Dedupe dedupe_;
  dsl::Throttle throttle_;
  dsl::Delay delay_;
};

TEST_F(HoldingStagesTest, GatherOwesWhatAllItsRecordsOwe) {
  start_gather({.count = 3});
  process({1, 2});
  process({3, 4});
  EXPECT_EQ(out(5), R"([{"items":[1,2,3],"count":3}])");
  EXPECT_EQ(outcome(0), "open");
  settle_out(Outcome::delivered);
  EXPECT_EQ(outcome(0), "delivered");
  EXPECT_EQ(outcome(2), "delivered");
  EXPECT_EQ(outcome(3), "open");
}

TEST_F(HoldingStagesTest, GatherPutsOutWhatItHasAtAFlush) {
  start_gather({.count = 100});
  process({1, 2});
  stage_->on_flush();
  EXPECT_EQ(out(5), R"([{"items":[1,2],"count":2}])");
  stage_->on_flush();
  EXPECT_EQ(emitted_.size(), 1U);
}

TEST_F(HoldingStagesTest, GatherPutsOutAGroupWhenItsPeriodHasPassed) {
  start_gather({.count = 100, .period = 1s});
  process({1});
  pass(999ms);
  EXPECT_EQ(out(5), "[]");
  pass(1ms);
  EXPECT_EQ(out(5), R"([{"items":[1],"count":1}])");
}

TEST_F(HoldingStagesTest, GatherKeepsGroupsApartByKey) {
  gather_.by = slot_value(0);
  start_gather({.count = 2, .by = slot_value(0)});
  process({"a", "b", "a"});
  EXPECT_EQ(out(5), R"([{"items":["a","a"],"count":2}])");
}

TEST_F(HoldingStagesTest, GatherRewindsItsRecordsWhenTheGroupIsLost) {
  start_gather({.count = 2});
  process({1, 2});
  emitted_.clear();  // whoever had it died
  out_.clear();
  run_tasks();
  EXPECT_EQ(lane_->attempt(), 1U);
}

TEST_F(HoldingStagesTest, GatherLeavesOutRecordsOfALaneThatWasRewound) {
  start_gather({.count = 2});
  process({1});
  lane_->raise_attempt(0);
  process({1});  // it comes again
  EXPECT_EQ(out(5), "[]");
  process({2});
  EXPECT_EQ(out(5), R"([{"items":[1,2],"count":2}])");
}

TEST_F(HoldingStagesTest, GatherFailsWhatItCannotEvaluateAndKeepsTheRest) {
  start_gather({.count = 2});
  process({"broken", 1, 2});
  EXPECT_THAT(failures(), ElementsAre("0 broken"));
  EXPECT_EQ(emitted_.size(), 1U);
}

TEST_F(HoldingStagesTest, DedupeDropsWhatWasDelivered) {
  start_dedupe();
  process({"a", "b"});
  settle_out(Outcome::delivered);
  process({"a", "c"});
  EXPECT_EQ(out(0), R"(["c"])");
  EXPECT_EQ(outcome(2), "filtered");
}

TEST_F(HoldingStagesTest, DedupeHoldsADuplicateUntilTheFirstIsDelivered) {
  start_dedupe();
  process({"a", "a"});
  EXPECT_EQ(out(0), R"(["a"])");
  EXPECT_EQ(outcome(1), "open");
  settle_out(Outcome::delivered);
  EXPECT_EQ(outcome(0), "delivered");
  EXPECT_EQ(outcome(1), "filtered");
}

TEST_F(HoldingStagesTest, DedupeLetsTheDuplicateThroughWhenTheFirstFailed) {
  start_dedupe();
  process({"a", "a", "a"});
  settle_out(Outcome::dead_lettered);
  EXPECT_EQ(outcome(0), "dead-lettered");
  EXPECT_EQ(out(0), R"(["a"])");
  settle_out(Outcome::delivered);
  EXPECT_EQ(outcome(1), "delivered");
  EXPECT_EQ(outcome(2), "filtered");
}

TEST_F(HoldingStagesTest, DedupeFreesTheKeysOfWhatWasLost) {
  start_dedupe();
  process({"a"});
  done_.clear();
  out_.clear();
  run_tasks();
  process({"a"});  // comes again
  EXPECT_EQ(out(0), R"(["a"])");
}

TEST_F(HoldingStagesTest, ThrottleSpacesRecordsAndKeepsTheirOrder) {
  start_throttle(10);
  for (int i = 1; i <= 4; ++i)
    process({i});
  EXPECT_EQ(out(0), "[1]");
  pass(100ms);
  EXPECT_EQ(out(0), "[1,2]");
  pass(200ms);
  EXPECT_EQ(out(0), "[1,2,3,4]");
  EXPECT_TRUE(timers_.empty());
}

TEST_F(HoldingStagesTest, ThrottleGivesBackWhatBecameStaleWhileItWaited) {
  start_throttle(10);
  process({1});
  process({2});
  lane_->raise_attempt(0);
  pass(1s);
  EXPECT_EQ(done_.size(), 2U);  // the actor leaves out what is stale
  EXPECT_TRUE(done_[1].batch.stale());
}

TEST_F(HoldingStagesTest, DelayHandsABatchOnAfterItsTime) {
  delay_.duration = 5s;
  start(make_delay_stage(delay_));
  process({1, 2});
  pass(4999ms);
  EXPECT_TRUE(done_.empty());
  pass(1ms);
  EXPECT_EQ(out(0), "[1,2]");
}

}  // namespace
}  // namespace millrace::actors
