#include "actors/pipeline/step_core_fixture.hpp"

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::EvenCondition;
using test::ResultExpression;
using test::StepCoreTest;
using Log = std::vector<std::string>;

TEST_F(StepCoreTest, HandsALaneOnInOrderAndLetsOthersPass) {
  start();
  core->on_batch(batch(a, 1));
  core->on_batch(batch(a, 1));
  core->on_batch(batch(b, 1));
  stage->give_back(1);
  EXPECT_EQ(host.log, Log{});
  stage->give_back(1);
  EXPECT_EQ(host.log, Log{"b:0"});
  stage->give_back(0);
  EXPECT_EQ(host.log, (Log{"b:0", "a:0", "a:1"}));
}

TEST_F(StepCoreTest, HandsOnAtOnceWhereOrderIsNotAskedFor) {
  program.ordered = false;
  start();
  core->on_batch(batch(a, 1));
  core->on_batch(batch(a, 1));
  stage->give_back(1);
  EXPECT_EQ(host.log, Log{"a:1"});
}

TEST_F(StepCoreTest, LetsRecordsPassByInTheirPlaceWhereWhenIsFalse) {
  program.when = std::make_shared<EvenCondition>();
  start();
  core->on_batch(batch(a, 4));
  ASSERT_EQ(stage->held.size(), 1u);
  EXPECT_EQ(stage->held[0].second.size(), 2u);
  stage->give_back(0);
  EXPECT_EQ(host.log, (Log{"a:0", "a:1", "a:2", "a:3"}));
}

TEST_F(StepCoreTest, DropsAStaleBatchBeforeItReachesTheStage) {
  start();
  auto stale = batch(a, 1);
  a->raise_attempt(0);
  core->on_batch(std::move(stale));
  EXPECT_TRUE(stage->held.empty());
}

TEST_F(StepCoreTest, DropsWhatWentStaleInTheStage) {
  start();
  core->on_batch(batch(a, 1));
  a->raise_attempt(0);
  core->on_batch(batch(a, 1));
  stage->give_back(1);
  EXPECT_EQ(host.log, Log{"a:1"}) << "the new attempt waits for nobody";
  stage->give_back(0);
  EXPECT_EQ(host.log, Log{"a:1"});
}

TEST_F(StepCoreTest, MapsTheResponseOverTheResult) {
  dsl::NamedExpression member;
  member.name = "n";
  member.value = std::make_shared<ResultExpression>();
  program.response.push_back(member);
  start();
  core->on_batch(batch(a, 2));
  stage->held[0].second[0].set(1, sdk::Value{7});
  stage->give_back(0);
  ASSERT_EQ(host.forwarded.size(), 1u);
  EXPECT_EQ(host.forwarded[0][0].get(1).find("n")->as_integer(), 7);
  EXPECT_EQ(outcomes->of["a:1"], sdk::Outcome::failed) << "no result to map";
}

TEST_F(StepCoreTest, PassesAFlushOnBehindWhatCameBeforeIt) {
  start();
  core->on_batch(batch(a, 1));
  core->on_flush();
  core->on_batch(batch(b, 1));
  EXPECT_EQ(host.log, Log{});
  stage->give_back(1);
  EXPECT_EQ(host.log, Log{"b:0"});
  stage->give_back(0);
  EXPECT_EQ(host.log, (Log{"b:0", "a:0", "flush"}));
}

TEST_F(StepCoreTest, FlushesItsStageAgainForBatchesThatWaitedInFrontOfTheFlush) {
  rule(dsl::ErrorAction::stop).retry = dsl::RetryPolicy{.attempts = 2};
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, retryable()}});
  core->on_batch(batch(a, 1));
  core->on_flush();
  wait_for_retry();
  stage->give_back(0);
  ASSERT_EQ(stage->held.size(), 1u) << "the second one comes to the stage after the flush";
  EXPECT_EQ(stage->flushes, 1);
  stage->give_back(0);
  EXPECT_EQ(stage->flushes, 2);
  EXPECT_EQ(host.log, (Log{"a:0", "a:1", "flush"}));
}

TEST_F(StepCoreTest, DropsWhatComesBackOfAnAttemptThatWasGivenUp) {
  branches = 1;
  start();
  auto stale = batch(a, 1);
  a->raise_attempt(0);
  core->on_return(0, std::move(stale));
  EXPECT_EQ(stage->returned, 0);
  core->on_return(0, batch(b, 1));
  EXPECT_EQ(stage->returned, 1);
}

TEST_F(StepCoreTest, MapsTheResponseOverWhatIsPutOutLater) {
  dsl::NamedExpression member;
  member.name = "n";
  member.value = std::make_shared<ResultExpression>();
  program.response.push_back(member);
  rule(dsl::ErrorAction::skip);
  start();
  auto out = batch(a, 2);
  out[1].set(1, sdk::Value{7});
  core->emit(std::move(out));
  ASSERT_EQ(host.forwarded.size(), 1u);
  EXPECT_EQ(host.log, Log{"a:1"});
  EXPECT_EQ(host.forwarded[0][0].get(1).find("n")->as_integer(), 7);
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::skipped) << "no result to map";
}

TEST_F(StepCoreTest, FlushesNestedStepsAgainForWhatEntersThemLater) {
  branches = 1;
  start();
  core->on_batch(batch(a, 1));
  core->on_flush();
  EXPECT_EQ(host.branch_flushes.size(), 1u);
  core->send(0, batch(b, 1));
  EXPECT_EQ(host.branch_flushes.size(), 2u);
}

TEST_F(StepCoreTest, SendsAFlushBehindWhatIsPutOutTooLateForTheLastOne) {
  start();
  core->on_flush();
  core->emit(batch(a, 1));
  EXPECT_EQ(host.log, (Log{"flush", "a:0", "flush"}));
  core->on_batch(batch(b, 1));
  core->emit(batch(a, 1));
  EXPECT_EQ(host.log.back(), "a:1");
}

TEST_F(StepCoreTest, TellsWhenABatchHasLeft) {
  start();
  int left = 0;
  core->on_batch(batch(a, 1), [&left] { ++left; });
  EXPECT_EQ(left, 0);
  stage->give_back(0);
  EXPECT_EQ(left, 1);
}

TEST_F(StepCoreTest, CallsTimersWhenTheyAreDue) {
  struct TimerStage final : Stage {
    explicit TimerStage(std::vector<std::uint64_t>& seen) : tokens{seen} {}

    sdk::Status start(StageContext& context) override {
      context.after(20ms, 2);
      context.after(10ms, 1);
      context.after(20ms, 3);
      return {};
    }

    void process(sdk::Batch, Ticket) override {}

    void on_timer(std::uint64_t token) override { tokens.push_back(token); }

    std::vector<std::uint64_t>& tokens;
  };

  std::vector<std::uint64_t> tokens;
  StepCore::Settings settings;
  settings.errors = &program.errors;
  settings.clock = &clock;
  StepCore timed{std::move(settings), host};
  ASSERT_TRUE(timed.start(std::make_unique<TimerStage>(tokens)));
  EXPECT_EQ(*host.wake, clock.now() + 10ms);
  clock.advance(10ms);
  timed.on_wake();
  EXPECT_EQ(tokens, std::vector<std::uint64_t>{1});
  EXPECT_EQ(*host.wake, clock.now() + 10ms);
  clock.advance(10ms);
  timed.on_wake();
  EXPECT_EQ(tokens, (std::vector<std::uint64_t>{1, 2, 3}));
}

}  // namespace
}  // namespace millrace::actors
