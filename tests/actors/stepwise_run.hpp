// On CAF's deterministic test coordinator: one message after the other, so that a test can do
// something between any two of them.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/calls.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/programs.hpp"
#include "actors/supervisor.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <map>
#include <memory>
#include <string>

namespace millrace::test {

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
  StepwiseRun(std::shared_ptr<const dsl::Program> program, actors::EngineOptions options) {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    auto shared = std::make_shared<actors::PipelineShared>();
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
    actors::connect_calls(*shared, {});
    board_ = shared->board;
    root_ = system_->spawn(actors::supervisor, std::vector{shared},
                           std::function<void()>{[this] { ended_ = true; }});
  }

  ~StepwiseRun() {
    steps_.clear();
    actors::kill(root_);
    root_ = nullptr;
    while (turn()) {
    }
  }

  StepwiseRun(const StepwiseRun&) = delete;
  StepwiseRun& operator=(const StepwiseRun&) = delete;

  /// One message, or the next timer where none waits. @returns false where neither does.
  bool turn() { return coordinator().run(1) > 0 || coordinator().trigger_timeout(); }

  void kill_step(const std::string& name) {
    actors::kill(steps_[name]);
    steps_.erase(name);
  }

  bool ended() const { return ended_; }

  const actors::PipelineBoard& board() const { return *board_; }

private:
  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::shared_ptr<actors::PipelineBoard> board_;
  caf::actor root_;
  std::map<std::string, caf::actor> steps_;
  bool ended_ = false;
};

}  // namespace millrace::test
