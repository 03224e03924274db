// A step is killed between any two messages.
#include "actors/stepwise_run.hpp"

#include <gtest/gtest.h>

#include <set>

namespace millrace::actors {
namespace {

using test::Collected;
using test::InstantSource;
using test::PipelineBuilder;
using test::StepwiseRun;

class EveryMomentTest : public testing::TestWithParam<const char*> {
protected:
  // Kills the step after so many turns. @returns false where the pipeline had ended by then.
  static bool run(const std::string& step, std::size_t moment) {
    Collected collected;
    PipelineBuilder pipeline{"stepwise"};
    pipeline.source([] { return std::make_unique<InstantSource>(); });
    const auto pass = [](sdk::Batch&) { return std::vector<sdk::Failure>{}; };
    pipeline.function("first", pass);
    pipeline.function("second", pass).concurrency = 2;
    pipeline.function("last", [&](sdk::Batch& batch) {
      collected.add(batch, 0);
      return std::vector<sdk::Failure>{};
    });
    EngineOptions options;
    options.batch_records = 5;
    options.credit_records = 12;
    StepwiseRun run{test::program(pipeline), options};
    std::size_t turns = 0;
    bool killed = false;
    while (!run.ended()) {
      if (turns++ == moment) {
        run.kill_step(step);
        killed = true;
      }
      if (!run.turn()) {
        ADD_FAILURE() << "it stands still";
        return false;
      }
    }
    EXPECT_EQ(run.board().state, PipelineState::finished);
    EXPECT_EQ(run.board().open, 0u);
    for (const auto* lane : {"lane-0", "lane-1"}) {
      std::int64_t next = 0;
      for (const auto value : collected.lane(lane)) {
        EXPECT_LE(value, next) << "seen before the one in front of it";
        next = std::max(next, value + 1);
      }
      EXPECT_EQ(next, 20);
    }
    return killed;
  }
};

TEST_P(EveryMomentTest, AStepMayDieAndEveryRecordArrivesInOrder) {
  std::size_t moment = 0;
  while (!HasFailure() && run(GetParam(), moment))
    ++moment;
  SCOPED_TRACE("killed after turn " + std::to_string(moment));
  EXPECT_FALSE(HasFailure());
  EXPECT_GT(moment, 30u);
}

INSTANTIATE_TEST_SUITE_P(Steps, EveryMomentTest, testing::Values("in", "first", "second", "last"));

class SlotExpression final : public sdk::Expression {
public:
  explicit SlotExpression(sdk::Slot slot) : slot_{slot} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    return scope.record->get(slot_);
  }

  std::string text() const override { return "slot"; }

private:
  sdk::Slot slot_;
};

// One item: the record's number.
class ListExpression final : public sdk::Expression {
public:
  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    auto items = sdk::Value::array();
    items.push_back(scope.record->get(0));
    return items;
  }

  std::string text() const override { return "[slot]"; }
};

std::unique_ptr<dsl::StepProgram> pass_step(std::string name) {
  return PipelineBuilder::make_step(std::move(name), [] {
    return std::make_unique<test::FunctionStep>(
      [](sdk::Batch&) { return std::vector<sdk::Failure>{}; });
  });
}

dsl::StepList nested(std::string name) {
  dsl::StepList list;
  list.steps.push_back(pass_step(std::move(name)));
  return list;
}

template <class Body>
dsl::StepProgram& add(PipelineBuilder& pipeline, std::string name, Body body, sdk::Slot output) {
  auto& step = pipeline.step(std::move(name), [] { return nullptr; });
  step.body = std::move(body);
  step.output = output;
  return step;
}

struct Shape {
  const char* name;
  const char* killed;
  void (*build)(PipelineBuilder&);
};

void with_step(PipelineBuilder& pipeline) {
  pipeline.function("first", [](sdk::Batch&) { return std::vector<sdk::Failure>{}; });
}

void with_switch(PipelineBuilder& pipeline) {
  dsl::Switch body;
  body.cases.push_back({nullptr, nested("inner")});
  add(pipeline, "choose", std::move(body), sdk::no_slot);
}

void with_foreach(PipelineBuilder& pipeline) {
  dsl::Foreach body;
  body.in = std::make_shared<ListExpression>();
  body.item = 2;
  body.steps = nested("inner");
  add(pipeline, "each", std::move(body), sdk::no_slot);
}

void with_collecting_foreach(PipelineBuilder& pipeline) {
  dsl::Foreach body;
  body.in = std::make_shared<ListExpression>();
  body.item = 2;
  body.steps = nested("inner");
  body.collect = std::make_shared<SlotExpression>(2);
  add(pipeline, "collect-each", std::move(body), 3);
}

void with_parallel(PipelineBuilder& pipeline) {
  dsl::Parallel body;
  body.branches.emplace_back("left", nested("inner"));
  body.branches.emplace_back("right", nested("other"));
  add(pipeline, "fork", std::move(body), 3);
}

// Behind the step that dies, a `batch` waits for more than ever comes: only a flush ends it.
class FlushEveryMomentTest : public testing::TestWithParam<Shape> {
protected:
  static bool run(const Shape& shape, std::size_t moment) {
    std::set<std::int64_t> seen;
    PipelineBuilder pipeline{"gathering"};
    pipeline.source([] { return std::make_unique<InstantSource>(); });
    shape.build(pipeline);
    dsl::Gather gather;
    gather.count = 1'000;
    gather.item = std::make_shared<SlotExpression>(0);
    add(pipeline, "gather", std::move(gather), 1);
    pipeline.function("last", [&](sdk::Batch& batch) {
      for (const auto& record : batch.records()) {
        for (const auto& item : record.get(1).find("items")->items())
          seen.insert(item.as_integer());
      }
      return std::vector<sdk::Failure>{};
    });
    EngineOptions options;
    options.batch_records = 5;
    options.credit_records = 12;
    StepwiseRun run{test::program(pipeline), options};
    std::size_t turns = 0;
    bool killed = false;
    while (!run.ended()) {
      if (turns++ == moment) {
        run.kill_step(shape.killed);
        killed = true;
      }
      if (!run.turn()) {
        ADD_FAILURE() << "it stands still";
        return false;
      }
    }
    EXPECT_EQ(run.board().state, PipelineState::finished);
    EXPECT_EQ(run.board().open, 0u);
    EXPECT_EQ(seen.size(), 20u);
    return killed;
  }
};

TEST_P(FlushEveryMomentTest, AStepMayDieAndWhatIsGatheredBehindItIsPutOut) {
  std::size_t moment = 0;
  while (!HasFailure() && run(GetParam(), moment))
    ++moment;
  SCOPED_TRACE("killed after turn " + std::to_string(moment));
  EXPECT_FALSE(HasFailure());
  EXPECT_GT(moment, 30u);
}

INSTANTIATE_TEST_SUITE_P(
  Shapes, FlushEveryMomentTest,
  testing::Values(
    Shape{"Step", "first", &with_step}, Shape{"Batch", "gather", &with_step},
    Shape{"Switch", "inner", &with_switch}, Shape{"SwitchItself", "choose", &with_switch},
    Shape{"Foreach", "inner", &with_foreach}, Shape{"ForeachItself", "each", &with_foreach},
    Shape{"CollectingForeach", "inner", &with_collecting_foreach},
    Shape{"Parallel", "inner", &with_parallel}, Shape{"ParallelItself", "fork", &with_parallel}),
  [](const auto& shape) { return std::string{shape.param.name}; });

}  // namespace
}  // namespace millrace::actors
