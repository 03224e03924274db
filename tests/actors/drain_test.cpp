// How pipelines end: by themselves, asked to, or given up. And what they do for each other.
#include "actors/engine.hpp"
#include "actors/pipeline_run.hpp"
#include "actors/programs.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::Collected;
using test::PipelineBuilder;
using test::PipelineRun;

std::vector<sdk::Failure> none() {
  return {};
}

class LambdaExpression final : public sdk::Expression {
public:
  using Function = std::function<sdk::Value(const sdk::Scope&)>;

  explicit LambdaExpression(Function function) : function_{std::move(function)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    return function_(scope);
  }

  std::string text() const override { return "lambda"; }

private:
  Function function_;
};

sdk::ExpressionPtr expression(LambdaExpression::Function function) {
  return std::make_shared<LambdaExpression>(std::move(function));
}

template <class Body>
dsl::StepProgram& add_body(PipelineBuilder& pipeline, std::string name, sdk::Slot output,
                           Body body) {
  auto& step = pipeline.step(std::move(name), [] { return nullptr; });
  step.output = output;
  step.body = std::move(body);
  return step;
}

TEST(DrainTest, StopsAnEndlessSourceAndSettlesWhatIsOpen) {
  PipelineBuilder pipeline{"endless"};
  pipeline.numbers({.lanes = 2, .intake = 10, .endless = true});
  Collected collected;
  pipeline.function("collect", [&](sdk::Batch& batch) {
    collected.add(batch, 0);
    return none();
  });
  Engine engine{{}, {}};
  ASSERT_TRUE(engine.start(test::program(pipeline)));
  while (collected.size() < 10'000)
    std::this_thread::yield();
  engine.stop(30s);
  ASSERT_TRUE(engine.wait_for(30s));
  const auto summary = engine.summary();
  EXPECT_TRUE(summary.all_settled);
  EXPECT_EQ(summary.pipelines[0].read, summary.pipelines[0].delivered);
  EXPECT_EQ(collected.size(), summary.pipelines[0].delivered);
}

TEST(DrainTest, GivesUpWhatIsLeftAtTheDeadlineAndSaysSo) {
  class Stuck : public sdk::Step {
  public:
    void process(sdk::Batch batch, sdk::StepDone) override { held_.push_back(std::move(batch)); }

  private:
    std::vector<sdk::Batch> held_;
  };

  PipelineBuilder pipeline{"stuck"};
  pipeline.numbers({.lanes = 1, .per_lane = 100, .intake = 10});
  pipeline.step("stuck", [] { return std::make_unique<Stuck>(); });
  Engine engine{{}, {}};
  ASSERT_TRUE(engine.start(test::program(pipeline)));
  while (engine.status()[0].read < 100)
    std::this_thread::yield();
  engine.stop(10ms);
  ASSERT_TRUE(engine.wait_for(30s));
  const auto summary = engine.summary();
  EXPECT_FALSE(summary.all_settled);
  EXPECT_EQ(summary.pipelines[0].open, 100u);
  EXPECT_EQ(summary.pipelines[0].error->kind(), sdk::ErrorKind::cancelled);
}

TEST(DrainTest, FinishesEveryStepOnceAfterEverythingHasSettled) {
  class Finishing : public sdk::Step {
  public:
    explicit Finishing(std::atomic<int>& finished) : finished_{finished} {}

    void process(sdk::Batch batch, sdk::StepDone done) override { done(std::move(batch), {}); }

    void finish(std::function<void(sdk::Status)> done) override {
      ++finished_;
      done({});
    }

  private:
    std::atomic<int>& finished_;
  };

  std::atomic<int> finished{0};
  PipelineBuilder pipeline{"finishing"};
  pipeline.numbers({.lanes = 4, .per_lane = 100, .intake = 10});
  pipeline.step("sink", [&] { return std::make_unique<Finishing>(finished); }).concurrency = 3;
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(finished, 3);
}

TEST(DrainTest, FailsWhereAStepCannotFinish) {
  class Failing : public sdk::Step {
  public:
    void process(sdk::Batch batch, sdk::StepDone done) override { done(std::move(batch), {}); }

    void finish(std::function<void(sdk::Status)> done) override {
      done(sdk::Error{sdk::ErrorKind::io, "cannot rename"});
    }
  };

  PipelineBuilder pipeline{"failing"};
  pipeline.numbers({.lanes = 1, .per_lane = 10, .intake = 10});
  pipeline.step("sink", [] { return std::make_unique<Failing>(); });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::failed);
  EXPECT_EQ(run.board().failed_step, "sink");
}

TEST(DrainTest, LetsWhatWasReadSettleBeforeItFailsForABrokenSource) {
  class Breaking : public sdk::Source {
  public:
    sdk::Status start(const sdk::SourceContext& context) override {
      sdk::Intake intake;
      intake.lane = std::make_shared<sdk::Lane>("lane");
      for (std::int64_t i = 0; i < 100; ++i)
        intake.records.emplace_back().set(context.output, sdk::Value{i});
      context.events->emit(std::move(intake));
      context.events->fail(sdk::Error{sdk::ErrorKind::io, "unexpected end of file"});
      return {};
    }

    void stop() override {}
  };

  PipelineBuilder pipeline{"breaking"};
  pipeline.source([] { return std::make_unique<Breaking>(); });
  pipeline.function("pass", [](sdk::Batch&) { return none(); });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::failed);
  EXPECT_EQ(run.board().error->message(), "unexpected end of file");
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 100u);
  EXPECT_EQ(run.board().open, 0u);
}

TEST(DrainTest, StartsASourceAgainThatMayRecover) {
  class Recovering : public sdk::Source {
  public:
    explicit Recovering(std::atomic<int>& starts) : starts_{starts} {}

    sdk::Status start(const sdk::SourceContext& context) override {
      sdk::Intake intake;
      intake.lane = std::make_shared<sdk::Lane>("lane");
      intake.records.emplace_back().set(context.output, sdk::Value{starts_.load()});
      context.events->emit(std::move(intake));
      sdk::Error::Detail detail;
      detail.retryable = true;
      if (++starts_ < 3)
        context.events->fail(
          sdk::Error{sdk::ErrorKind::connection, "gone away", std::move(detail)});
      else
        context.events->end();
      return {};
    }

    void stop() override {}

  private:
    std::atomic<int>& starts_;
  };

  std::atomic<int> starts{0};
  PipelineBuilder pipeline{"recovering"};
  pipeline.source([&] { return std::make_unique<Recovering>(starts); });
  pipeline.function("pass", [](sdk::Batch&) { return none(); });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(starts, 3);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 3u);
}

TEST(DrainTest, FailsAtOnceWhereAStepCannotStart) {
  class Refusing : public sdk::Step {
  public:
    sdk::Status start(const sdk::StepContext&) override {
      return sdk::Error{sdk::ErrorKind::io, "no such directory"};
    }

    void process(sdk::Batch, sdk::StepDone) override {}
  };

  PipelineBuilder pipeline{"refusing"};
  pipeline.numbers({.lanes = 1, .per_lane = 10, .intake = 10});
  pipeline.step("sink", [] { return std::make_unique<Refusing>(); });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::failed);
  EXPECT_EQ(run.board().error->message(), "no such directory");
  EXPECT_EQ(run.board().read, 0u);
}

TEST(DrainTest, TriesAStepAgainThatCannotStartJustNow) {
  class Hesitant : public sdk::Step {
  public:
    explicit Hesitant(std::atomic<int>& starts) : starts_{starts} {}

    sdk::Status start(const sdk::StepContext&) override {
      if (++starts_ >= 3)
        return {};
      sdk::Error::Detail detail;
      detail.retryable = true;
      return sdk::Error{sdk::ErrorKind::connection, "not yet", std::move(detail)};
    }

    void process(sdk::Batch batch, sdk::StepDone done) override { done(std::move(batch), {}); }

  private:
    std::atomic<int>& starts_;
  };

  std::atomic<int> starts{0};
  PipelineBuilder pipeline{"hesitant"};
  pipeline.numbers({.lanes = 1, .per_lane = 10, .intake = 10});
  pipeline.step("sink", [&] { return std::make_unique<Hesitant>(starts); });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(starts, 3);
  EXPECT_EQ(run.board().restarts, 0u);
}

TEST(DrainTest, GathersTheRestAtTheEndOfTheInput) {
  PipelineBuilder pipeline{"gathering"};
  pipeline.numbers({.lanes = 1, .per_lane = 1'050, .intake = 10});
  dsl::Gather gather;
  gather.count = 100;
  gather.item = expression([](const sdk::Scope& scope) { return scope.record->get(0); });
  add_body(pipeline, "hundred", 1, std::move(gather));
  Collected sizes;
  pipeline.function("collect", [&](sdk::Batch& batch) {
    for (auto& record : batch.records())
      record.set(0, *record.get(1).find("count"));
    sizes.add(batch, 0);
    return none();
  });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 1'050u);
  const auto all = sizes.lane("batch");
  EXPECT_EQ(std::accumulate(all.begin(), all.end(), std::int64_t{0}), 1'050);
}

TEST(DrainTest, TakesApartMoreThanTheNextStepHasRoomForAndGathersItWithoutStandingStill) {
  PipelineBuilder pipeline{"expanding"};
  pipeline.numbers({.lanes = 2, .per_lane = 40, .intake = 1});
  dsl::Foreach each;
  each.in = expression([](const sdk::Scope&) {
    auto items = sdk::Value::array();
    for (int i = 0; i < 333; ++i)
      items.push_back(sdk::Value{i});
    return items;
  });
  each.item = 1;
  add_body(pipeline, "each", 2, std::move(each));
  dsl::Gather gather;
  gather.count = 1'000;  // more than the source may have open
  gather.item = expression([](const sdk::Scope& scope) { return scope.record->get(1); });
  add_body(pipeline, "gather", 3, std::move(gather));
  Collected sizes;
  pipeline.function("collect", [&](sdk::Batch& batch) {
    for (auto& record : batch.records())
      record.set(0, *record.get(3).find("count"));
    sizes.add(batch, 0);
    return none();
  });
  EngineOptions options;
  options.credit_records = 8;
  PipelineRun run{test::program(pipeline), options};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 80u);
  const auto all = sizes.lane("batch");
  EXPECT_EQ(std::accumulate(all.begin(), all.end(), std::int64_t{0}), 80 * 333);
}

TEST(CallTest, AnswersTheCallingPipelineAndEndsAfterIt) {
  PipelineBuilder called{"doubling"};
  called.source(nullptr);
  called.function("double", [](sdk::Batch& batch) {
    for (auto& record : batch.records())
      record.set(0, sdk::Value{record.get(0).as_integer() * 2});
    return none();
  });
  PipelineBuilder calling{"calling"};
  calling.numbers({.lanes = 2, .per_lane = 5'000, .intake = 50});
  dsl::CallPipeline call;
  call.pipeline = "doubling";
  call.input = expression([](const sdk::Scope& scope) { return scope.record->get(0); });
  add_body(calling, "call", 1, std::move(call));
  Collected collected;
  calling.function("collect", [&](sdk::Batch& batch) {
    collected.add(batch, 1);
    return none();
  });
  EngineOptions options;
  options.credit_records = 64;  // calls have to wait for credit
  PipelineRun run{test::program(called, calling), options};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board(0).state, PipelineState::finished);
  EXPECT_EQ(run.board(1).state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered, 0), 10'000u);
  const auto lane = collected.lane("lane-1");
  ASSERT_EQ(lane.size(), 5'000u);
  EXPECT_TRUE(std::is_sorted(lane.begin(), lane.end()));
  EXPECT_EQ(lane.back(), 9'998);
}

TEST(CallTest, DrainsTogetherWithThePipelineThatCallsIt) {
  PipelineBuilder called{"called"};
  called.source(nullptr);
  called.function("pass", [](sdk::Batch&) { return none(); });
  PipelineBuilder calling{"calling"};
  calling.numbers({.lanes = 2, .intake = 50, .endless = true});
  dsl::CallPipeline call;
  call.pipeline = "called";
  call.input = expression([](const sdk::Scope& scope) { return scope.record->get(0); });
  add_body(calling, "call", 1, std::move(call));
  Collected collected;
  calling.function("collect", [&](sdk::Batch& batch) {
    collected.add(batch, 0);
    return none();
  });
  EngineOptions options;
  options.credit_records = 64;  // calls have to wait for credit
  PipelineRun run{test::program(called, calling), options};
  while (collected.size() < 1'000)
    std::this_thread::yield();
  run.stop(60s);
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board(0).state, PipelineState::finished);
  EXPECT_EQ(run.board(1).state, PipelineState::finished);
  EXPECT_EQ(run.board(1).open, 0u);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered, 1), run.board(1).read);
}

TEST(CallTest, FailsTheCallWhereTheCalledPipelineFailsTheRecord) {
  PipelineBuilder called{"failing"};
  called.source(nullptr);
  called.function("fail", [](sdk::Batch& batch) {
    std::vector<sdk::Failure> failures;
    for (std::uint32_t i = 0; i < batch.size(); ++i)
      failures.push_back({i, sdk::Error{sdk::ErrorKind::data, "not a customer"}});
    return failures;
  });
  PipelineBuilder calling{"calling"};
  calling.numbers({.lanes = 1, .per_lane = 10, .intake = 10});
  dsl::CallPipeline call;
  call.pipeline = "failing";
  call.input = expression([](const sdk::Scope& scope) { return scope.record->get(0); });
  add_body(calling, "call", 1, std::move(call));
  PipelineRun run{test::program(called, calling)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board(0).state, PipelineState::finished) << "whoever asks is answered";
  EXPECT_EQ(run.board(1).state, PipelineState::failed);
  EXPECT_EQ(run.board(1).error->kind(), sdk::ErrorKind::data);
  EXPECT_EQ(run.board(1).error->message(), "pipeline 'failing' failed: not a customer");
}

}  // namespace
}  // namespace millrace::actors
