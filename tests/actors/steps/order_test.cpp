// Stages that hold records back, each in its StepCore: no record overtakes another of its lane.
#include "actors/pipeline/fake_step_host.hpp"
#include "actors/pipeline/time_mark.hpp"
#include "actors/steps/stage_fixture.hpp"
#include "actors/steps/stages.hpp"

#include <gtest/gtest.h>

#include <random>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::FakeStepHost;

class OrderTest : public testing::Test {
protected:
  OrderTest() {
    step_.output = 5;
    // Odd numbers pass the step by.
    step_.when = std::make_shared<TestCondition>(
      [](const sdk::Record& record) { return record.sequence % 2 == 0; });
  }

  void start(StagePtr stage) {
    StepCore::Settings settings;
    settings.name = "held";
    settings.step = &step_;
    settings.errors = &step_.errors;
    settings.branches = 1;
    settings.limited = true;
    settings.clock = &clock_;
    settings.log = &sdk::silent_log();
    core_.emplace(std::move(settings), host_);
    ASSERT_TRUE(core_->start(std::move(stage)));
  }

  void start_throttle(double rate) {
    throttle_.per_second = rate;
    start(make_throttle_stage(throttle_));
  }

  void start_expand() {
    loop_.in = slot_value(0);
    loop_.item = 1;
    loop_.steps.result = 1;
    loop_.steps.steps.push_back(std::make_unique<dsl::StepProgram>());
    start(make_expand_stage(step_, loop_));
  }

  sdk::Batch batch(const sdk::LanePtr& lane, std::uint32_t count) {
    auto& next = next_[lane.get()];
    auto receipt = sdk::Receipt::make(lane, lane->attempt(), next, count,
                                      sdk::Receipt::Report::each, account_);
    std::vector<sdk::Record> records;
    for (std::uint32_t i = 0; i < count; ++i) {
      auto& record = records.emplace_back();
      record.sequence = next++;
      record.set(0, sdk::Value::array({1, 2, 3}));
    }
    sdk::Batch made{lane, lane->attempt()};
    made.add(std::move(records), receipt->acknowledgement());
    return made;
  }

  void wake() {
    if (!host_.wake)
      return;
    clock_.pass(std::max<std::chrono::nanoseconds>(0ns, *std::exchange(host_.wake, std::nullopt)
                                                          - clock_.now()));
    core_->on_wake();
  }

  /// Sends back what went into the nested steps first.
  void return_one() {
    if (host_.branches.empty())
      return;
    auto sent = std::move(host_.branches.front());
    host_.branches.erase(host_.branches.begin());
    core_->on_return(sent.first, std::move(sent.second));
  }

  /// The sequences that left, by lane.
  std::map<std::string, std::vector<std::uint64_t>> left() const {
    std::map<std::string, std::vector<std::uint64_t>> all;
    for (const auto& out : host_.forwarded) {
      for (const auto& record : out.records())
        all[out.lane()->name()].push_back(record.sequence);
    }
    return all;
  }

  ScriptedClock clock_;
  FakeStepHost host_;
  dsl::StepProgram step_;
  dsl::Throttle throttle_;
  dsl::Foreach loop_;
  std::shared_ptr<Account> account_ = std::make_shared<Account>();
  std::map<const sdk::Lane*, std::uint64_t> next_;
  std::optional<StepCore> core_;
};

TEST_F(OrderTest, ARecordThatPassesThrottleByWaitsForTheHeldOneBeforeIt) {
  const auto lane = std::make_shared<sdk::Lane>("a");
  start_throttle(10);
  core_->on_batch(batch(lane, 3));  // 0 goes, 1 passes by, 2 is held
  core_->on_batch(batch(lane, 1));  // 3 passes by
  EXPECT_EQ(host_.log, (std::vector<std::string>{"a:0", "a:1"}));
  EXPECT_EQ(host_.forwarded.size(), 1U);  // together, as they came
  wake();
  EXPECT_EQ(host_.log, (std::vector<std::string>{"a:0", "a:1", "a:2", "a:3"}));
}

TEST_F(OrderTest, UnorderedThrottleLetsThemOvertake) {
  const auto lane = std::make_shared<sdk::Lane>("a");
  step_.ordered = false;
  start_throttle(10);
  core_->on_batch(batch(lane, 4));
  EXPECT_EQ(host_.log, (std::vector<std::string>{"a:0", "a:1", "a:3"}));
}

TEST_F(OrderTest, AFlushWaitsForWhatThrottleHolds) {
  const auto lane = std::make_shared<sdk::Lane>("a");
  start_throttle(10);
  core_->on_batch(batch(lane, 3));
  core_->on_flush();
  EXPECT_EQ(host_.log.back(), "a:1");
  wake();
  EXPECT_EQ(host_.log, (std::vector<std::string>{"a:0", "a:1", "a:2", "flush"}));
}

TEST_F(OrderTest, ARecordThatPassesForeachByWaitsForTheItemsBeforeIt) {
  const auto lane = std::make_shared<sdk::Lane>("a");
  start_expand();
  core_->on_batch(batch(lane, 2));
  core_->on_batch(batch(lane, 1));
  EXPECT_TRUE(host_.log.empty());
  return_one();
  EXPECT_EQ(host_.log, (std::vector<std::string>{"a:0", "a:0", "a:0", "a:1"}));
}

TEST_F(OrderTest, ItemsWaitForThoseOfTheRecordBeforeAndTakeRoomMeanwhile) {
  const auto lane = std::make_shared<sdk::Lane>("a");
  start_expand();
  core_->on_batch(batch(lane, 3));
  ASSERT_EQ(host_.branches.size(), 2U);
  std::swap(host_.branches[0], host_.branches[1]);
  return_one();  // of the third record
  EXPECT_TRUE(host_.log.empty());
  EXPECT_EQ(core_->room(), 4096U - 4);
  return_one();
  EXPECT_EQ(left().at("a"), (std::vector<std::uint64_t>{0, 0, 0, 1, 2, 2, 2}));
}

TEST_F(OrderTest, ARecordWhoseTimeIsUpIsDroppedOnItsWayInside) {
  const auto lane = std::make_shared<sdk::Lane>("a");
  step_.when = nullptr;
  start_throttle(1e9);
  auto marked = batch(lane, 2);
  const auto mark = TimeMark::make();
  mark.put_on(marked[0]);
  mark.end();
  core_->on_batch(std::move(marked));
  EXPECT_EQ(host_.log, (std::vector<std::string>{"a:1"}));
  EXPECT_EQ(account_->outcomes.at(0), "filtered");
}

class SeededOrderTest : public OrderTest, public testing::WithParamInterface<std::uint32_t> {
protected:
  void run(bool expand) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()));
    std::mt19937 random{GetParam()};
    const sdk::LanePtr lanes[] = {std::make_shared<sdk::Lane>("a"),
                                  std::make_shared<sdk::Lane>("b")};
    for (int i = 0; i < 300; ++i) {
      switch (random() % 4) {
      case 0:
        core_->on_batch(batch(lanes[random() % 2], 1 + random() % 5));
        break;
      case 1:
        if (host_.branches.size() > 1 && random() % 2 == 0)
          std::swap(host_.branches[0], host_.branches[random() % host_.branches.size()]);
        return_one();
        break;
      case 2:
        wake();
        break;
      default:
        core_->on_flush();
      }
    }
    while (!host_.branches.empty() || host_.wake) {
      return_one();
      wake();
    }
    for (const auto& lane : lanes) {
      std::vector<std::uint64_t> expected;
      for (std::uint64_t i = 0; i < next_[lane.get()]; ++i)
        expected.insert(expected.end(), expand && i % 2 == 0 ? 3 : 1, i);
      EXPECT_EQ(left()[lane->name()], expected) << lane->name();
    }
    EXPECT_EQ(core_->room() + host_.counted_records, 4096U);
    for (auto& out : host_.forwarded)
      out.settle(sdk::Outcome::delivered);
    for (const auto& [sequence, outcome] : account_->outcomes)
      EXPECT_EQ(outcome, "delivered") << sequence;
  }
};

TEST_P(SeededOrderTest, ThrottleKeepsTheOrderOfEachLane) {
  start_throttle(20);
  run(false);
}

TEST_P(SeededOrderTest, ForeachKeepsTheOrderOfEachLane) {
  start_expand();
  run(true);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SeededOrderTest, testing::Range(1u, 21u));

}  // namespace
}  // namespace millrace::actors
