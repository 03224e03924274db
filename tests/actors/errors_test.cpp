// What becomes of failed records in running pipelines.
#include "actors/pipeline_run.hpp"
#include "actors/programs.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::Collected;
using test::PipelineBuilder;
using test::PipelineRun;

std::vector<sdk::Failure> none() {
  return {};
}

std::vector<sdk::Failure> fail_each(sdk::Batch& batch, std::int64_t of, const sdk::Error& error) {
  std::vector<sdk::Failure> failures;
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    if (batch[i].get(0).as_integer() % of == 0)
      failures.push_back({i, error});
  }
  return failures;
}

const sdk::Error broken{sdk::ErrorKind::data, "not a score"};

/// Takes each batch and never answers.
class SilentStep : public sdk::Step {
public:
  void process(sdk::Batch batch, sdk::StepDone) override { held_.push_back(std::move(batch)); }

private:
  std::vector<sdk::Batch> held_;
};

/// Answers its calls; emits so many, then ends.
class AskingSource : public sdk::Source {
public:
  struct Seen {
    std::mutex mutex;
    std::map<std::uint64_t, std::pair<sdk::Outcome, sdk::Value>> answers;
  };

  AskingSource(std::uint64_t count, std::shared_ptr<Seen> seen)
    : count_{count}, seen_{std::move(seen)} {}

  sdk::Status start(const sdk::SourceContext& context) override {
    for (std::uint64_t i = 0; i < count_; ++i) {
      sdk::Intake intake;
      intake.lane = std::make_shared<sdk::Lane>("request");
      auto& record = intake.records.emplace_back();
      record.position = i;
      record.set(context.output, sdk::Value{static_cast<std::int64_t>(i)});
      context.events->emit(std::move(intake));
    }
    context.events->end();
    return {};
  }

  bool answers() const noexcept override { return true; }

  void answer(const sdk::Lane&, std::uint64_t position, sdk::Outcome outcome,
              const sdk::Value& answer) override {
    const std::lock_guard lock{seen_->mutex};
    seen_->answers.emplace(position, std::pair{outcome, answer});
  }

  void stop() override {}

private:
  std::uint64_t count_;
  std::shared_ptr<Seen> seen_;
};

class ErrorsTest : public testing::Test {
protected:
  ErrorsTest() { pipeline.numbers({.lanes = 2, .per_lane = 1'000, .intake = 20}); }

  void collect() {
    pipeline.function("collect", [this](sdk::Batch& batch) {
      collected.add(batch, 0);
      return none();
    });
  }

  static void add_rule(dsl::StepProgram& step, dsl::ErrorAction then) {
    dsl::ErrorRule rule;
    rule.then = then;
    step.errors.rules.push_back(std::move(rule));
    step.errors.error_slot = 5;
  }

  PipelineBuilder pipeline{"errors"};
  Collected collected;
};

TEST_F(ErrorsTest, StopThePipelineByDefaultAndNameTheStep) {
  pipeline.function("score", [](sdk::Batch& batch) { return fail_each(batch, 500, broken); });
  collect();
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::failed);
  EXPECT_EQ(run.board().failed_step, "score");
  EXPECT_EQ(run.board().error->message(), "not a score");
  EXPECT_GT(run.board().open, 0u);
}

TEST_F(ErrorsTest, AreSkippedWhereOnErrorSaysSo) {
  add_rule(
    pipeline.function("score", [](sdk::Batch& batch) { return fail_each(batch, 10, broken); }),
    dsl::ErrorAction::skip);
  collect();
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::skipped), 200u);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 1'800u);
  EXPECT_EQ(collected.size(), 1'800u);
}

TEST_F(ErrorsTest, GoToTheDeadLetterStepAndSettleOnceItHasThem) {
  add_rule(
    pipeline.function("score", [](sdk::Batch& batch) { return fail_each(batch, 10, broken); }),
    dsl::ErrorAction::dead_letter);
  collect();
  Collected dead;
  pipeline.dead_letter([&](sdk::Batch& batch) {
    for (const auto& record : batch.records())
      EXPECT_EQ(record.get(5).find("step")->as_string(), "score");
    dead.add(batch, 0);
    return none();
  });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::dead_lettered), 200u);
  EXPECT_EQ(dead.lane("lane-0").size(), 100u);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 1'800u);
}

TEST_F(ErrorsTest, StopThePipelineWhereTheDeadLetterStepFails) {
  add_rule(
    pipeline.function("score", [](sdk::Batch& batch) { return fail_each(batch, 10, broken); }),
    dsl::ErrorAction::dead_letter);
  pipeline.dead_letter([](sdk::Batch& batch) {
    return fail_each(batch, 1, sdk::Error{sdk::ErrorKind::io, "disk full"});
  });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::failed);
  EXPECT_EQ(run.board().failed_step, "dead-letter");
}

TEST_F(ErrorsTest, OfTransientKindAreTriedAgainInTheirPlace) {
  std::atomic<int> failed{0};
  auto& step = pipeline.function("score", [&](sdk::Batch& batch) {
    if (batch.size() == 1 || ++failed % 7 != 0)
      return none();
    sdk::Error::Detail detail;
    detail.retryable = true;
    return std::vector<sdk::Failure>{
      {3, sdk::Error{sdk::ErrorKind::connection, "gone away", std::move(detail)}}};
  });
  dsl::ErrorRule rule;
  rule.retry = dsl::RetryPolicy{.attempts = 3, .base = 1ms, .cap = 2ms};
  step.errors.rules.push_back(std::move(rule));
  collect();
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  const auto lane = collected.lane("lane-1");
  ASSERT_EQ(lane.size(), 1'000u);
  EXPECT_TRUE(std::is_sorted(lane.begin(), lane.end()));
}

TEST_F(ErrorsTest, RunTheirNestedStepsFirst) {
  Collected notified;
  auto& step = pipeline.function("score",
                                 [](sdk::Batch& batch) { return fail_each(batch, 100, broken); });
  add_rule(step, dsl::ErrorAction::resume);
  auto steps = std::make_shared<dsl::StepList>();
  steps->steps.push_back(PipelineBuilder::make_step("notify", [&notified] {
    return std::make_unique<test::FunctionStep>([&notified](sdk::Batch& batch) {
      notified.add(batch, 0);
      return none();
    });
  }));
  step.errors.rules[0].steps = std::move(steps);
  collect();
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(notified.size(), 20u);
  const auto lane = collected.lane("lane-1");
  ASSERT_EQ(lane.size(), 1'000u);
  EXPECT_TRUE(std::is_sorted(lane.begin(), lane.end()));
}

TEST_F(ErrorsTest, ComeFromAStepThatDoesNotAnswerInTime) {
  auto& step = pipeline.step("silent", [] { return std::make_unique<SilentStep>(); });
  step.timeout = 5ms;
  add_rule(step, dsl::ErrorAction::skip);
  step.errors.rules[0].match = {"timeout"};
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::skipped), 2'000u);
}

TEST_F(ErrorsTest, AnswerWhoeverAskedAndThePipelineGoesOn) {
  auto seen = std::make_shared<AskingSource::Seen>();
  PipelineBuilder asked{"asked"};
  asked.source([seen] { return std::make_unique<AskingSource>(100, seen); });
  asked.function("score", [](sdk::Batch& batch) {
    for (auto& record : batch.records())
      record.set(0, sdk::Value{record.get(0).as_integer() + 1'000});
    return fail_each(batch, 10, broken);
  });
  PipelineRun run{test::program(asked)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  ASSERT_EQ(seen->answers.size(), 100u);
  EXPECT_EQ(seen->answers[7].first, sdk::Outcome::delivered);
  EXPECT_EQ(seen->answers[7].second.as_integer(), 1'007);
  EXPECT_EQ(seen->answers[20].first, sdk::Outcome::failed);
  EXPECT_EQ(seen->answers[20].second.find("message")->as_string(), "not a score");
}

TEST_F(ErrorsTest, OfUnreadableInputMeetTheSourcesPolicyInTheirPlace) {
  class Unreadable : public sdk::Source {
  public:
    sdk::Status start(const sdk::SourceContext& context) override {
      const auto lane = std::make_shared<sdk::Lane>("lane");
      for (std::int64_t at = 0; at < 100; at += 10) {
        sdk::Intake intake;
        intake.lane = lane;
        for (std::int64_t i = at; i < at + 10; ++i)
          intake.records.emplace_back().set(context.output, sdk::Value{i});
        intake.failures.push_back({4, broken});
        context.events->emit(std::move(intake));
      }
      context.events->end();
      return {};
    }

    void stop() override {}
  };

  PipelineBuilder unreadable{"unreadable"};
  unreadable.source([] { return std::make_unique<Unreadable>(); });
  unreadable.function("collect", [this](sdk::Batch& batch) {
    collected.add(batch, 0);
    return none();
  });
  auto program = unreadable.take();
  dsl::ErrorRule skip;
  skip.match = {"data"};
  skip.then = dsl::ErrorAction::skip;
  program.source.errors.rules.push_back(std::move(skip));
  auto whole = std::make_shared<dsl::Program>();
  whole->pipelines.push_back(std::move(program));
  PipelineRun run{whole};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::skipped), 10u);
  EXPECT_EQ(collected.size(), 90u);
}

}  // namespace
}  // namespace millrace::actors
