// `timeout` on steps with nested steps: what is not back in time fails, and flows on nowhere.
#include "actors/pipeline/time_mark.hpp"
#include "actors/steps/stage_fixture.hpp"
#include "actors/steps/stages.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::Outcome;
using sdk::Value;
using testing::ElementsAre;

constexpr const char* too_long = "its nested steps took longer than 500 ms";

class NestedTimeTest : public StageFixture {
protected:
  NestedTimeTest() {
    step_.output = 5;
    step_.timeout = 500ms;
  }

  void start_switch() {
    choice_.cases.resize(1);
    choice_.cases[0].when = slot_is_at_least(0, 0);
    choice_.cases[0].steps.result = 1;
    start(make_switch_stage(step_, choice_, {}));
  }

  void start_loop(bool collect) {
    loop_.in = slot_value(0);
    loop_.item = 1;
    loop_.steps.result = 1;
    loop_.steps.steps.push_back(std::make_unique<dsl::StepProgram>());
    if (collect)
      loop_.collect = slot_value(1);
    start(collect ? make_foreach_stage(step_, loop_) : make_expand_stage(step_, loop_));
  }

  static Sent cut(Sent& sent, std::size_t count) { return {sent.branch, sent.batch.split(count)}; }

  dsl::Switch choice_;
  dsl::Foreach loop_;
  dsl::Parallel both_;
};

TEST_F(NestedTimeTest, SwitchFailsWhatIsNotBackInTimeAndHandsTheRestOn) {
  start_switch();
  process({1, 2, 3});
  auto sent = take_sent();
  send_back(cut(sent, 1));
  pass(499ms);
  EXPECT_TRUE(done_.empty());
  pass(1ms);
  EXPECT_THAT(failures(), ElementsAre("1 " + std::string{too_long}, "2 " + std::string{too_long}));
  EXPECT_EQ(done_[0].failures[0].error.kind(), sdk::ErrorKind::timeout);
  EXPECT_TRUE(done_[0].failures[0].error.outcome_unknown());
  EXPECT_EQ(out(0), "[1,2,3]");  // each whole, for its onError
}

TEST_F(NestedTimeTest, WhatComesBackLateFlowsOnNowhere) {
  start_switch();
  process({1});
  auto late = take_sent();
  EXPECT_FALSE(TimeMark::is_over(late.batch[0]));
  pass(500ms);
  EXPECT_TRUE(TimeMark::is_over(late.batch[0]));
  send_back(std::move(late));
  EXPECT_EQ(done_.size(), 1U);
  EXPECT_TRUE(emitted_.empty());
  settle_out(Outcome::dead_lettered);
  EXPECT_EQ(outcome(0), "dead-lettered");
}

TEST_F(NestedTimeTest, ALateEndInsideChangesNothing) {
  start_switch();
  process({1});
  auto late = take_sent();
  pass(500ms);
  late.batch.settle(Outcome::skipped);
  run_tasks();
  EXPECT_EQ(done_.size(), 1U);
  EXPECT_EQ(outcome(0), "open");
}

TEST_F(NestedTimeTest, ARecordKeepsNoMarkOnceItIsBack) {
  start_switch();
  process({1});
  send_back(take_sent());
  EXPECT_FALSE(done_[0].batch[0].has_attachments());
  pass(1s);
  EXPECT_EQ(done_.size(), 1U);
}

TEST_F(NestedTimeTest, ForeachFailsOnlyTheRecordWhoseItemsAreLate) {
  start_loop(true);
  process({Value::array({1, 2}), Value::array({3})});
  auto sent = take_sent();
  auto late = cut(sent, 1);
  send_back(std::move(sent));
  pass(500ms);
  EXPECT_THAT(failures(), ElementsAre("0 " + std::string{too_long}));
  EXPECT_EQ(done_[0].batch[1].get(5).items().size(), 1U);
  send_back(std::move(late));
  EXPECT_EQ(done_.size(), 1U);
}

TEST_F(NestedTimeTest, ParallelFailsWhenABranchIsLate) {
  both_.branches.emplace_back("stock", dsl::StepList{{}, 1});
  both_.branches.emplace_back("price", dsl::StepList{{}, 2});
  start(make_parallel_stage(step_, both_));
  process({1});
  send_back(take_sent());
  pass(500ms);
  EXPECT_THAT(failures(), ElementsAre("0 " + std::string{too_long}));
  send_back(take_sent());
  EXPECT_EQ(done_.size(), 1U);
}

TEST_F(NestedTimeTest, ExpandFailsTheRecordWhoseItemsAreLate) {
  start_loop(false);
  process({Value::array({1, 2})});
  auto sent = take_sent();
  send_back(cut(sent, 1));
  EXPECT_EQ(out(5), "[1]");  // it has flowed on
  pass(500ms);
  EXPECT_THAT(failures(), ElementsAre("0 " + std::string{too_long}));
  send_back(std::move(sent));
  settle_out(Outcome::skipped);
  EXPECT_EQ(outcome(0), "skipped");
}

TEST_F(NestedTimeTest, ExpandDoesNotCountTheWaitForRoom) {
  start_loop(false);
  room_ = 1;
  process({Value::array({1, 2})});
  pass(300ms);
  room_ = 0;
  send_back(take_sent());
  pass(1s);
  EXPECT_TRUE(done_.empty());
  room_ = 1;
  stage_->on_room();
  pass(199ms);
  EXPECT_TRUE(done_.empty());
  pass(1ms);
  EXPECT_THAT(failures(), ElementsAre("0 " + std::string{too_long}));
}

TEST_F(NestedTimeTest, LimitsWithinLimitsEachEndTheRecordsInside) {
  sdk::Record record;
  const auto outer = TimeMark::make();
  const auto inner = TimeMark::make();
  outer.put_on(record);
  inner.put_on(record);
  sdk::Record part;
  part.share_attachments(record);
  outer.end();
  EXPECT_TRUE(TimeMark::is_over(part));
  inner.end();
  TimeMark::take_off(part);
  EXPECT_TRUE(TimeMark::is_over(part));
  TimeMark::take_off(part);
  EXPECT_FALSE(TimeMark::is_over(part));
}

}  // namespace
}  // namespace millrace::actors
