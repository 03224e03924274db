// On CAF's deterministic test coordinator: one message after the other, and a step is killed
// between any two of them.
#include "actors/caf.hpp"
#include "actors/pipeline/calls.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/programs.hpp"
#include "actors/supervisor.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

namespace millrace::actors {
namespace {

using test::Collected;
using test::PipelineBuilder;

/// Emits everything when it is started, in this very turn.
class InstantSource : public sdk::Source {
public:
  sdk::Status start(const sdk::SourceContext& context) override {
    const sdk::LanePtr lanes[] = {std::make_shared<sdk::Lane>("lane-0"),
                                  std::make_shared<sdk::Lane>("lane-1")};
    for (std::int64_t at = 0; at < 20; at += 5) {
      for (const auto& lane : lanes) {
        sdk::Intake intake;
        intake.lane = lane;
        for (std::int64_t i = at; i < at + 5; ++i)
          intake.records.emplace_back().set(context.output, sdk::Value{i});
        context.events->emit(std::move(intake));
      }
    }
    context.events->end();
    return {};
  }

  void stop() override {}
};

class StepwiseRun {
public:
  StepwiseRun(std::shared_ptr<const dsl::Program> program, EngineOptions options) {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    auto shared = std::make_shared<PipelineShared>();
    shared->program = program;
    shared->pipeline = &program->pipelines.front();
    shared->options = options;
    shared->env.program = program.get();
    shared->env.pipeline = shared->pipeline;
    shared->env.log = &sdk::silent_log();
    shared->env.clock = &sdk::system_clock();
    shared->env.seed = 1;
    shared->on_spawn = [this](const std::string& step, const caf::actor& actor) {
      steps_[step] = actor;
    };
    connect_calls(*shared, {});
    board_ = shared->board;
    root_ = system_->spawn(supervisor, std::vector{shared},
                           std::function<void()>{[this] { ended_ = true; }});
  }

  ~StepwiseRun() {
    steps_.clear();
    kill(root_);
    root_ = nullptr;
    while (turn()) {
    }
  }

  StepwiseRun(const StepwiseRun&) = delete;
  StepwiseRun& operator=(const StepwiseRun&) = delete;

  /// One message, or the next timer where none waits. @returns false where neither does.
  bool turn() { return coordinator().run(1) > 0 || coordinator().trigger_timeout(); }

  void kill_step(const std::string& name) {
    kill(steps_[name]);
    steps_.erase(name);
  }

  bool ended() const { return ended_; }

  const PipelineBoard& board() const { return *board_; }

private:
  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::shared_ptr<PipelineBoard> board_;
  caf::actor root_;
  std::map<std::string, caf::actor> steps_;
  bool ended_ = false;
};

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
  while (!HasFailure() && run(GetParam(), moment)) {
    SCOPED_TRACE("killed after turn " + std::to_string(moment));
    ++moment;
  }
  EXPECT_GT(moment, 30u);
}

INSTANTIATE_TEST_SUITE_P(Steps, EveryMomentTest, testing::Values("first", "second", "last"));

}  // namespace
}  // namespace millrace::actors
