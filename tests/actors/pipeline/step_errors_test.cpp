#include "actors/pipeline/step_core_fixture.hpp"

namespace millrace::actors {
namespace {

using test::StepCoreTest;

class StepErrorsTest : public StepCoreTest {};

using Log = std::vector<std::string>;

TEST_F(StepErrorsTest, TriesFailedRecordsAgainWhileTheirLaneWaits) {
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

TEST_F(StepErrorsTest, TriesRetryableErrorsThreeTimesByDefaultAndThenFails) {
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

TEST_F(StepErrorsTest, CountsTheTriesOfOthersByDefault) {
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, retryable().with_attempts(3)}});
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::failed);
}

TEST_F(StepErrorsTest, DoesNotTryAgainWhatCannotHelp) {
  start();
  core->on_batch(batch(a, 1));
  stage->give_back(0, {{0, permanent()}});
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::failed);
}

TEST_F(StepErrorsTest, TakesTheFirstRuleThatMatchesByClass) {
  rule(dsl::ErrorAction::skip, {"23*"});
  rule(dsl::ErrorAction::stop);
  start();
  core->on_batch(batch(a, 2));
  stage->give_back(0, {{0, permanent()}, {1, retryable()}});
  EXPECT_EQ(outcomes->of["a:0"], sdk::Outcome::skipped);
  EXPECT_EQ(outcomes->of["a:1"], sdk::Outcome::failed);
  EXPECT_TRUE(outcomes->why->stop);
}

TEST_F(StepErrorsTest, GoesOnWithoutTheOutputWhereItSaysContinue) {
  rule(dsl::ErrorAction::resume);
  start();
  core->on_batch(batch(a, 3));
  stage->held[0].second[1].set(1, sdk::Value{"half done"});
  stage->give_back(0, {{1, permanent()}});
  EXPECT_EQ(host.log, (Log{"a:0", "a:1", "a:2"}));
  EXPECT_TRUE(host.forwarded[0][1].get(1).is_null());
}

TEST_F(StepErrorsTest, HandsTheRecordAndTheErrorToTheDeadLetterStep) {
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

TEST_F(StepErrorsTest, RunsTheNestedStepsOfARuleAndThenDoesWhatItSays) {
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

TEST_F(StepErrorsTest, LetsGoOfAnOpenTransactionBeforeTheNestedStepsOfARule) {
  struct Open final : sdk::Attachment {
    explicit Open(bool& state) : open{state} { open = true; }

    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

    ~Open() override { open = false; }

    bool& open;
  };

  auto steps = std::make_shared<dsl::StepList>();
  steps->steps.push_back(std::make_unique<dsl::StepProgram>());
  rule(dsl::ErrorAction::skip, {"23*"}).steps = steps;
  rule(dsl::ErrorAction::resume).steps = steps;
  start();
  bool skipped = false;
  bool resumed = false;
  core->on_batch(batch(a, 2));
  stage->held[0].second[0].attach(1, std::make_unique<Open>(skipped));
  stage->held[0].second[1].attach(1, std::make_unique<Open>(resumed));
  stage->give_back(0, {{0, permanent()}, {1, sdk::Error{sdk::ErrorKind::data, "odd"}}});
  ASSERT_EQ(host.branches.size(), 2u);
  EXPECT_FALSE(skipped);
  EXPECT_TRUE(resumed) << "it goes on, and so does its transaction";
  for (auto& [branch, nested] : host.branches)
    core->on_return(branch, std::move(nested));
  host.branches.clear();
}

TEST_F(StepErrorsTest, FailsWithTheErrorOfTheNestedStepsWhereTheyFail) {
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

TEST_F(StepErrorsTest, LosesTheRecordWhenANestedStepDiesOverIt) {
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

TEST_F(StepErrorsTest, LetsAConvictedRecordMeetOnErrorWithoutTouchingIt) {
  rule(dsl::ErrorAction::skip, {"crash"});
  start();
  convictions.add(a->id(), 1, "score", sdk::Error{sdk::ErrorKind::crash, "died"});
  convictions.add(a->id(), 2, "other", sdk::Error{sdk::ErrorKind::crash, "died"});
  core->on_batch(batch(a, 3));
  ASSERT_EQ(stage->held.size(), 1u);
  EXPECT_EQ(stage->held[0].second.size(), 2u);
  EXPECT_EQ(outcomes->of["a:1"], sdk::Outcome::skipped);
}

}  // namespace
}  // namespace millrace::actors
