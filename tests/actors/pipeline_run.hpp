// Runs pipelines on actors of their own, without the Engine around them, so that a test can reach
// and kill the steps.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/calls.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/supervisor.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::test {

class PipelineRun {
public:
  explicit PipelineRun(std::shared_ptr<const dsl::Program> program,
                       actors::EngineOptions options = {}, sdk::Log& log = sdk::silent_log()) {
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("scheduler.max-threads", std::size_t{2});
    system_ = std::make_unique<caf::actor_system>(config_);
    calls_ = actors::make_call_ports(*program);
    for (const auto& pipeline : program->pipelines) {
      auto shared = std::make_shared<actors::PipelineShared>();
      shared->program = program;
      shared->pipeline = &pipeline;
      shared->options = options;
      shared->env.program = program.get();
      shared->env.pipeline = &pipeline;
      shared->env.log = &log;
      shared->env.clock = &sdk::system_clock();
      shared->env.seed = 1;
      shared->env.calls = &calls_;
      actors::connect_calls(*shared, calls_);
      shared->on_spawn = [this](const std::string& step, const caf::actor& actor) {
        const std::lock_guard lock{mutex_};
        steps_[step] = actor;
      };
      pipelines_.push_back(std::move(shared));
    }
    root_ = system_->spawn(actors::supervisor, pipelines_, std::function<void()>{[this] {
                             const std::lock_guard lock{mutex_};
                             ended_ = true;
                             changed_.notify_all();
                           }});
  }

  ~PipelineRun() {
    actors::kill(root_);
    root_ = nullptr;
    {
      const std::lock_guard lock{mutex_};
      steps_.clear();
    }
    system_->await_all_actors_done();
  }

  PipelineRun(const PipelineRun&) = delete;
  PipelineRun& operator=(const PipelineRun&) = delete;

  bool wait() {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{60}, [this] { return ended_; });
  }

  bool ended() {
    const std::lock_guard lock{mutex_};
    return ended_;
  }

  void kill_step(const std::string& name) {
    caf::actor actor;
    {
      const std::lock_guard lock{mutex_};
      actor = steps_[name];
    }
    actors::kill(actor);
  }

  void stop(std::chrono::milliseconds deadline) {
    caf::anon_send(root_, actors::StopPipeline{deadline});
  }

  const actors::PipelineBoard& board(std::size_t pipeline = 0) const {
    return *pipelines_[pipeline]->board;
  }

  std::uint64_t settled(sdk::Outcome outcome, std::size_t pipeline = 0) const {
    return board(pipeline).settled[static_cast<std::size_t>(outcome)];
  }

  const actors::PipelineShared& shared(std::size_t pipeline = 0) const {
    return *pipelines_[pipeline];
  }

private:
  actors::CallPorts calls_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<std::shared_ptr<actors::PipelineShared>> pipelines_;
  caf::actor root_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::map<std::string, caf::actor> steps_;
};

}  // namespace millrace::test
