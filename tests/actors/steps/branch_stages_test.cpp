// switch, foreach and parallel: records that go through nested steps and on.
#include "actors/steps/stage_fixture.hpp"
#include "actors/steps/stages.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using sdk::Outcome;
using sdk::Value;
using testing::ElementsAre;

class BranchStagesTest : public StageFixture {
protected:
  BranchStagesTest() { step_.output = 5; }

  void start_switch() {
    big_or_small_.cases.resize(2);
    big_or_small_.cases[0].when = slot_is_at_least(0, 10);
    big_or_small_.cases[0].steps.result = 1;
    big_or_small_.cases[1].when = slot_is_at_least(0, 0);
    big_or_small_.cases[1].steps.result = 2;
    start(make_switch_stage(step_, big_or_small_, {}));
  }

  void start_foreach() {
    loop_.in = slot_value(0);
    loop_.item = 1;
    loop_.collect = slot_value(2);
    start(make_foreach_stage(step_, loop_));
  }

  void start_expand() {
    loop_.in = slot_value(0);
    loop_.item = 1;
    loop_.steps.result = 1;
    loop_.steps.steps.push_back(std::make_unique<dsl::StepProgram>());
    start(make_expand_stage(step_, loop_));
  }

  /// Nested steps that put ten times slot `from` into slot `to`.
  static void times_ten(Sent& sent, sdk::Slot from, sdk::Slot to) {
    for (auto& record : sent.batch.records())
      record.set(to, record.get(from).as_integer() * 10);
  }

  dsl::Switch big_or_small_;
  dsl::Foreach loop_;
  dsl::Parallel both_;
};

TEST_F(BranchStagesTest, SwitchHandsRecordsOnInTheirOrderWhateverBranchIsSlow) {
  start_switch();
  process({1, 20, 3, 40});
  auto big = take_sent();
  auto small = take_sent();
  EXPECT_EQ(big.branch, 0U);
  times_ten(big, 0, 1);
  times_ten(small, 0, 2);
  send_back(std::move(small));
  EXPECT_TRUE(done_.empty());
  send_back(std::move(big));
  EXPECT_EQ(out(0), "[1,20,3,40]");
  EXPECT_EQ(out(5), "[10,200,30,400]");
}

TEST_F(BranchStagesTest, SwitchLetsPassWhatNoCaseTakes) {
  start_switch();
  process({-1, 5});
  send_back(take_sent());
  EXPECT_EQ(out(0), "[-1,5]");
  EXPECT_EQ(out(5), "[null,null]");
}

TEST_F(BranchStagesTest, SwitchSettlesWhatEndedInABranchAndHandsTheRestOn) {
  start_switch();
  process({20, 5, 30});
  auto big = take_sent();
  big.batch.split(1).settle(Outcome::filtered);
  send_back(take_sent());
  send_back(std::move(big));
  run_tasks();
  EXPECT_EQ(out(0), "[5,30]");
  EXPECT_EQ(outcome(0), "filtered");
  settle_out(Outcome::delivered);
  EXPECT_EQ(outcome(1), "delivered");
  EXPECT_EQ(outcome(2), "delivered");
}

TEST_F(BranchStagesTest, SwitchGivesTheTicketBackEmptyWhenABranchLostAPart) {
  start_switch();
  const auto ticket = process({20, 5});
  take_sent();  // dies
  send_back(take_sent());
  run_tasks();
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].ticket, ticket);
  EXPECT_TRUE(done_[0].batch.empty());
  EXPECT_EQ(lane_->attempt(), 1U);
}

TEST_F(BranchStagesTest, ForeachGivesTheTicketBackEmptyWhenAnItemWasLost) {
  start_foreach();
  process({Value::array({1, 2})});
  take_sent();  // dies
  run_tasks();
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_TRUE(done_[0].batch.empty());
}

TEST_F(BranchStagesTest, ForeachCollectsInTheOrderOfTheItems) {
  start_foreach();
  process({Value::array({1, 2, 3}), Value::array(), Value{}, Value::array({4})});
  auto items = take_sent();
  ASSERT_EQ(items.batch.size(), 4U);
  times_ten(items, 1, 2);
  auto last = items.batch.split(2);
  send_back({0, std::move(items.batch)});
  EXPECT_TRUE(done_.empty());
  send_back({0, std::move(last)});
  EXPECT_EQ(out(5), "[[10,20,30],[],[],[40]]");
  settle_out(Outcome::delivered);
  EXPECT_EQ(outcome(0), "delivered");
}

TEST_F(BranchStagesTest, ForeachLeavesOutItemsThatWereFiltered) {
  start_foreach();
  process({Value::array({1, 2, 3})});
  auto items = take_sent();
  times_ten(items, 1, 2);
  auto first = items.batch.split(1);
  items.batch.split(1).settle(Outcome::filtered);
  send_back({0, std::move(first)});
  send_back(std::move(items));
  run_tasks();
  EXPECT_EQ(out(5), "[[10,30]]");
}

TEST_F(BranchStagesTest, ForeachFailsARecordOneOfWhoseItemsFailed) {
  start_foreach();
  process({Value::array({1, 2}), Value::array({3})});
  auto items = take_sent();
  times_ten(items, 1, 2);
  auto bad = items.batch.split(1);
  bad.take_ack(0).fail(std::make_shared<sdk::FailureNote>(
    sdk::FailureNote{sdk::Error{sdk::ErrorKind::execution, "no such table"}, "inner", false}));
  send_back(std::move(items));
  run_tasks();
  EXPECT_THAT(failures(), ElementsAre("0 no such table"));
  EXPECT_EQ(out(0), "[[1,2],[3]]");
}

TEST_F(BranchStagesTest, ForeachTakesARecordAlongWhenAnItemWasDeadLettered) {
  start_foreach();
  process({Value::array({1, 2}), Value::array({3})});
  auto items = take_sent();
  times_ten(items, 1, 2);
  items.batch.split(1).settle(Outcome::dead_lettered);
  send_back(std::move(items));
  run_tasks();
  EXPECT_EQ(out(0), "[[3]]");
  EXPECT_EQ(outcome(0), "dead-lettered");
}

TEST_F(BranchStagesTest, ForeachRefusesWhatIsNoArray) {
  start_foreach();
  process({5});
  EXPECT_THAT(failures(), ElementsAre("0 `in:` goes over an array, and $.test is integer"));
}

TEST_F(BranchStagesTest, ExpandSettlesARecordWhenItsLastItemHas) {
  start_expand();
  process({Value::array({1, 2})});
  send_back(take_sent());
  EXPECT_EQ(out(5), "[1,2]");
  out_[0]->split(1).settle(Outcome::delivered);
  EXPECT_EQ(outcome(0), "open");
  out_[0]->settle(Outcome::delivered);
  EXPECT_EQ(outcome(0), "delivered");
}

TEST_F(BranchStagesTest, ExpandFiltersARecordWithoutItems) {
  start_expand();
  process({Value::array()});
  EXPECT_EQ(outcome(0), "filtered");
}

TEST_F(BranchStagesTest, ExpandNeverHasMoreOnTheWayThanThereIsRoomFor) {
  start_expand();
  room_ = 2;
  process({Value::array({1, 2, 3, 4, 5})});
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_.front().batch.size(), 2U);
  room_ = 0;
  send_back(take_sent());  // now on their way to the next step
  EXPECT_TRUE(sent_.empty());
  room_ = 2;
  stage_->on_room();
  EXPECT_EQ(take_sent().batch.records()[0].get(1).as_integer(), 3);
}

TEST_F(BranchStagesTest, ParallelJoinsTheOutputsOfItsBranches) {
  both_.branches.emplace_back("stock", dsl::StepList{{}, 1});
  both_.branches.emplace_back("price", dsl::StepList{{}, 2});
  start(make_parallel_stage(step_, both_));
  process({1, 2});
  auto stock = take_sent();
  auto price = take_sent();
  times_ten(stock, 0, 1);
  for (auto& record : price.batch.records())
    record.set(2, "p");
  send_back(std::move(price));
  send_back(std::move(stock));
  EXPECT_EQ(out(5), R"([{"stock":10,"price":"p"},{"stock":20,"price":"p"}])");
}

}  // namespace
}  // namespace millrace::actors
