#include "actors/pipeline/fake_step_host.hpp"
#include "actors/pipeline/step_core.hpp"

#include <gtest/gtest.h>

#include <map>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using Log = std::vector<std::string>;

class Outcomes final : public sdk::SettleListener {
public:
  void on_settled(const std::shared_ptr<sdk::Receipt>& receipt) noexcept override {
    for (const auto& settled : receipt->take_settled()) {
      for (std::uint32_t i = 0; i < settled.count; ++i) {
        const auto name = receipt->lane()->name() + ":"
                          + std::to_string(receipt->first_sequence() + settled.first + i);
        of[name] = settled.outcome;
        if (settled.failure)
          why = settled.failure;
      }
    }
  }

  std::map<std::string, sdk::Outcome> of;
  sdk::FailureNotePtr why;
};

// True for the records whose slot 0 is even.
class EvenCondition final : public sdk::Condition {
public:
  sdk::Result<bool> test(const sdk::Scope& scope) const override {
    return scope.record->get(0).as_integer() % 2 == 0;
  }

  std::string text() const override { return "even"; }
};

// {n: the result}, or an error where the result is null.
class ResultExpression final : public sdk::Expression {
public:
  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    if (scope.result->is_null())
      return sdk::Error{sdk::ErrorKind::expression, "there is no result"};
    return *scope.result;
  }

  std::string text() const override { return "$"; }
};

class StepCoreTest : public testing::Test {
protected:
  StepCoreTest() {
    program.name = "score";
    program.output = 1;
    program.errors.error_slot = 2;
  }

  void start() {
    StepCore::Settings settings;
    settings.name = program.name;
    settings.step = &program;
    settings.errors = &program.errors;
    settings.convictions = &convictions;
    settings.clock = &clock;
    settings.log = &sdk::silent_log();
    settings.branches = branches;
    core.emplace(std::move(settings), host);
    auto made = std::make_unique<test::HoldingStage>();
    stage = made.get();
    ASSERT_TRUE(core->start(std::move(made)));
  }

  sdk::Batch batch(const sdk::LanePtr& lane, std::uint32_t count) {
    auto& next = sequences[lane.get()];
    auto receipt = sdk::Receipt::make(lane, lane->attempt(), next, count,
                                      sdk::Receipt::Report::each, outcomes);
    sdk::Batch result{lane, lane->attempt()};
    std::vector<sdk::Record> records;
    for (std::uint32_t i = 0; i < count; ++i) {
      auto& record = records.emplace_back();
      record.sequence = next++;
      record.set(0, sdk::Value{static_cast<std::int64_t>(record.sequence)});
    }
    result.add(std::move(records), receipt->acknowledgement());
    return result;
  }

  dsl::ErrorRule& rule(dsl::ErrorAction then, std::vector<std::string> match = {}) {
    dsl::ErrorRule added;
    added.match = std::move(match);
    added.then = then;
    program.errors.rules.push_back(std::move(added));
    return program.errors.rules.back();
  }

  static sdk::Error retryable() {
    sdk::Error::Detail detail;
    detail.code = "40001";
    detail.retryable = true;
    return sdk::Error{sdk::ErrorKind::transaction, "conflict", std::move(detail)};
  }

  static sdk::Error permanent() {
    sdk::Error::Detail detail;
    detail.code = "23505";
    return sdk::Error{sdk::ErrorKind::execution, "duplicate key", std::move(detail)};
  }

  void wait_for_retry() {
    ASSERT_TRUE(host.wake);
    clock.advance(*std::exchange(host.wake, std::nullopt) - clock.now());
    core->on_wake();
  }

  sdk::LanePtr a = std::make_shared<sdk::Lane>("a");
  sdk::LanePtr b = std::make_shared<sdk::Lane>("b");
  std::map<const sdk::Lane*, std::uint64_t> sequences;
  std::shared_ptr<Outcomes> outcomes = std::make_shared<Outcomes>();
  dsl::StepProgram program;
  std::size_t branches = 0;
  Convictions convictions;
  test::ScriptedClock clock;
  test::FakeStepHost host;
  test::HoldingStage* stage = nullptr;
  std::optional<StepCore> core;
};

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

TEST_F(StepCoreTest, TriesFailedRecordsAgainWhileTheirLaneWaits) {
  rule(dsl::ErrorAction::stop, {"40001"}).retry = dsl::RetryPolicy{.attempts = 3};
  start();
  core->on_batch(batch(a, 3));
  stage->give_back(0, {{1, retryable()}});
  core->on_batch(batch(a, 1));
  core->on_batch(batch(b, 1));
  ASSERT_EQ(stage->held.size(), 1u) << "only the other lane goes on";
  stage->give_back(0);
  EXPECT_EQ(host.log, Log{"b:0"});
  wait_for_retry();
  ASSERT_EQ(stage->held.size(), 1u);
  EXPECT_EQ(stage->held[0].second.size(), 1u) << "only the failed record is tried again";
  stage->give_back(0);
  EXPECT_EQ(host.log, (Log{"b:0", "a:0", "a:1", "a:2"}));
  ASSERT_EQ(stage->held.size(), 1u);
  stage->give_back(0);
  EXPECT_EQ(host.log.back(), "a:3");
}

TEST_F(StepCoreTest, TriesRetryableErrorsThreeTimesByDefaultAndThenFails) {
  start();
  core->on_batch(batch(a, 1));
  for (int tries = 1; tries <= 2; ++tries) {
    stage->give_back(0, {{0, retryable()}});
    wait_for_retry();
    ASSERT_EQ(stage->held.size(), 1u);
  }
  stage->give_back(0, {{0, retryable()}});
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::failed);
  EXPECT_EQ(outcomes->why->step, "score");
  EXPECT_EQ(outcomes->why->error.attempts(), 3u);
  EXPECT_FALSE(outcomes->why->stop);
}

TEST_F(StepCoreTest, CountsTheTriesOfOthersByDefault) {
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, retryable().with_attempts(3)}});
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::failed);
}

TEST_F(StepCoreTest, DoesNotTryAgainWhatCannotHelp) {
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, permanent()}});
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::failed);
}

TEST_F(StepCoreTest, TakesTheFirstRuleThatMatchesByClass) {
  rule(dsl::ErrorAction::skip, {"23*"});
  rule(dsl::ErrorAction::stop);
  start();
  core->on_batch(batch(a, 2));
  stage->give_back(0, {{0, permanent()}, {1, retryable()}});
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::skipped);
  EXPECT_EQ(outcomes->of["a:1"], sdk::Outcome::failed);
  EXPECT_TRUE(outcomes->why->stop);
}

TEST_F(StepCoreTest, GoesOnWithoutTheOutputWhereItSaysContinue) {
  rule(dsl::ErrorAction::resume);
  start();
  core->on_batch(batch(a, 3));
  stage->held[0].second[1].set(1, sdk::Value{"half done"});
  stage->give_back(0, {{1, permanent()}});
  EXPECT_EQ(host.log, (Log{"a:0", "a:1", "a:2"}));
  EXPECT_TRUE(host.forwarded[0][1].get(1).is_null());
}

TEST_F(StepCoreTest, HandsTheRecordAndTheErrorToTheDeadLetterStep) {
  host.has_dead_letter = true;
  rule(dsl::ErrorAction::dead_letter);
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, permanent()}});
  ASSERT_EQ(host.dead_letters.size(), 1u);
  const auto& error = host.dead_letters[0][0].get(2);
  EXPECT_EQ(error.find("step")->as_string(), "score");
  EXPECT_EQ(error.find("kind")->as_string(), "execution");
  EXPECT_EQ(error.find("sqlstate")->as_string(), "23505");
  EXPECT_EQ(error.find("attempts")->as_integer(), 1);
  EXPECT_FALSE(outcomes->of.contains("a:0")) << "it settles once the dead-letter step has it";
  host.dead_letters[0].settle(sdk::Outcome::dead_lettered);
}

TEST_F(StepCoreTest, RunsTheNestedStepsOfARuleAndThenDoesWhatItSays) {
  auto steps = std::make_shared<dsl::StepList>();
  steps->steps.push_back(std::make_unique<dsl::StepProgram>());
  auto& with_steps = rule(dsl::ErrorAction::skip);
  with_steps.steps = steps;
  branches = 1;
  start();
  core->on_batch(batch(a, 2));
  stage->give_back(0, {{0, permanent()}});
  ASSERT_EQ(host.branches.size(), 1u);
  EXPECT_EQ(host.branches[0].first, 1u) << "behind the branches of the stage";
  EXPECT_EQ(host.branches[0].second[0].get(2).find("message")->as_string(), "duplicate key");
  EXPECT_EQ(host.log, Log{}) << "the rest of the batch waits for it";
  core->on_return(1, std::move(host.branches[0].second));
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::skipped);
  EXPECT_EQ(host.log, Log{"a:1"});
}

TEST_F(StepCoreTest, FailsWithTheErrorOfTheNestedStepsWhereTheyFail) {
  auto steps = std::make_shared<dsl::StepList>();
  steps->steps.push_back(std::make_unique<dsl::StepProgram>());
  rule(dsl::ErrorAction::skip).steps = steps;
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, permanent()}});
  host.branches.at(0).second.take_ack(0).fail(std::make_shared<sdk::FailureNote>(
    sdk::FailureNote{sdk::Error{sdk::ErrorKind::io, "disk full"}, "notify", false}));
  host.run_posted();
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::failed);
  EXPECT_EQ(outcomes->why->step, "notify");
}

TEST_F(StepCoreTest, LosesTheRecordWhenANestedStepDiesOverIt) {
  auto steps = std::make_shared<dsl::StepList>();
  steps->steps.push_back(std::make_unique<dsl::StepProgram>());
  rule(dsl::ErrorAction::skip).steps = steps;
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, permanent()}});
  host.branches.clear();
  EXPECT_EQ(a->attempt(), 1u);
  host.run_posted();
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::lost);
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

TEST_F(StepCoreTest, LetsAConvictedRecordMeetOnErrorWithoutTouchingIt) {
  rule(dsl::ErrorAction::skip, {"crash"});
  start();
  convictions.add(a->id(), 1, "score", sdk::Error{sdk::ErrorKind::crash, "died"});
  convictions.add(a->id(), 2, "other", sdk::Error{sdk::ErrorKind::crash, "died"});
  core->on_batch(batch(a, 3));
  ASSERT_EQ(stage->held.size(), 1u);
  EXPECT_EQ(stage->held[0].second.size(), 2u);
  EXPECT_EQ(outcomes->of["a:1"], sdk::Outcome::skipped);
}

TEST_F(StepCoreTest, PassesAFlushOnBehindWhatCameBeforeIt) {
  start();
  core->on_batch(batch(a, 1));
  core->on_flush();
  core->on_batch(batch(b, 1));
  EXPECT_EQ(stage->flushes, 1);
  EXPECT_EQ(host.log, Log{});
  stage->give_back(1);
  EXPECT_EQ(host.log, Log{"b:0"});
  stage->give_back(0);
  EXPECT_EQ(host.log, (Log{"b:0", "a:0", "flush"}));
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
