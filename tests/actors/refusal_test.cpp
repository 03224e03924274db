// Steps and sources that cannot start: tried again where that can help, and not for ever.
#include "actors/stepwise_run.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::PipelineBuilder;
using test::StepwiseRun;

sdk::Error down() {
  return {sdk::ErrorKind::connection, "nobody is there", {.retryable = true}};
}

class LateStep final : public sdk::Step {
public:
  explicit LateStep(int& refusals) : refusals_{refusals} {}

  sdk::Status start(const sdk::StepContext&) override {
    if (refusals_-- > 0)
      return down();
    return {};
  }

  void process(sdk::Batch batch, sdk::StepDone done) override { done(std::move(batch), {}); }

private:
  int& refusals_;
};

class LateSource final : public test::InstantSource {
public:
  explicit LateSource(int& refusals) : refusals_{refusals} {}

  sdk::Status start(const sdk::SourceContext& context) override {
    if (refusals_-- > 0)
      return down();
    return test::InstantSource::start(context);
  }

private:
  int& refusals_;
};

PipelineState state_after(StepwiseRun& run) {
  int turns = 0;
  while (!run.ended() && turns++ < 10'000 && run.turn()) {
  }
  return run.board().state;
}

TEST(RefusalTest, AStepThatStartsInTheEndCostsNothing) {
  int refusals = 3;
  PipelineBuilder pipeline{"late"};
  pipeline.source([] { return std::make_unique<test::InstantSource>(); });
  pipeline.step("late", [&] { return std::make_unique<LateStep>(refusals); });
  StepwiseRun run{test::program(pipeline), {}};
  EXPECT_EQ(state_after(run), PipelineState::finished);
  EXPECT_EQ(run.board().settled[0], 40U);
}

TEST(RefusalTest, AStepThatNeverStartsFailsItsPipelineWithItsError) {
  int refusals = 1'000;
  PipelineBuilder pipeline{"late"};
  pipeline.source([] { return std::make_unique<test::InstantSource>(); });
  pipeline.step("late", [&] { return std::make_unique<LateStep>(refusals); });
  StepwiseRun run{test::program(pipeline), {}};
  EXPECT_EQ(state_after(run), PipelineState::failed);
  EXPECT_EQ(refusals, 1'000 - 4);
  EXPECT_EQ(run.board().failed_step, "late");
  ASSERT_TRUE(run.board().error);
  EXPECT_EQ(run.board().error->message(), "nobody is there");
  EXPECT_EQ(run.board().error->attempts(), 4U);
}

TEST(RefusalTest, ASourceThatNeverStartsIsTriedForEverByALongLivedRun) {
  int refusals = 1'000'000;
  PipelineBuilder pipeline{"late"};
  pipeline.source([&] { return std::make_unique<LateSource>(refusals); });
  StepwiseRun run{test::program(pipeline), {}};
  EXPECT_EQ(state_after(run), PipelineState::running);
  EXPECT_LT(refusals, 1'000'000 - 100);
}

TEST(RefusalTest, ARunThatIsToEndGivesASourceUpAfterItsPatience) {
  int refusals = 1'000'000;
  PipelineBuilder pipeline{"late"};
  pipeline.source([&] { return std::make_unique<LateSource>(refusals); });
  EngineOptions options;
  options.once = true;
  options.once_patience = 0ms;
  StepwiseRun run{test::program(pipeline), options};
  EXPECT_EQ(state_after(run), PipelineState::failed);
  ASSERT_TRUE(run.board().error);
  EXPECT_EQ(run.board().error->message(), "nobody is there");
}

TEST(RefusalTest, ARunThatIsToEndTriesASourceAgainWithinItsPatience) {
  int refusals = 5;
  PipelineBuilder pipeline{"late"};
  pipeline.source([&] { return std::make_unique<LateSource>(refusals); });
  EngineOptions options;
  options.once = true;
  StepwiseRun run{test::program(pipeline), options};
  EXPECT_EQ(state_after(run), PipelineState::finished);
}

}  // namespace
}  // namespace millrace::actors
