#include "actors/supervisor.hpp"

#include "actors/pipeline/calls.hpp"
#include "actors/pipeline/pipeline_actor.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors {

caf::behavior supervisor(caf::stateful_actor<SupervisorState>* self,
                         const std::vector<std::shared_ptr<PipelineShared>>& pipelines,
                         const std::function<void()>& all_ended) {
  return self->state.start(pipelines, all_ended);
}

SupervisorState::~SupervisorState() {
  for (const auto& pipeline : pipelines_)
    kill(pipeline.actor);
}

caf::behavior SupervisorState::start(const std::vector<std::shared_ptr<PipelineShared>>& pipelines,
                                     std::function<void()> all_ended) {
  all_ended_ = std::move(all_ended);
  report_exceptions(self_);
  self_->set_default_handler(caf::drop);
  self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
  for (const auto& shared : pipelines)
    add(shared);
  end_if_done();
  return {[this](const StopPipeline& stop) {
            stopping_ = stop;
            for (const auto& pipeline : pipelines_) {
              if (pipeline.actor)
                self_->send(pipeline.actor, stop);
            }
          },
          [this](const StartPipeline& start) { add(start.shared); },
          [](const Knock& knock) { knock.answer(); },
          [this](const HoldOn& on) {
            holds_ += on.hold ? 1 : -1;
            end_if_done();
          }};
}

void SupervisorState::add(const std::shared_ptr<PipelineShared>& shared) {
  auto actor = self_->spawn(pipeline_actor, shared);
  self_->monitor(actor);
  shared->self->set(0, actor);
  if (stopping_)
    self_->send(actor, *stopping_);
  pipelines_.push_back({shared, std::move(actor)});
}

void SupervisorState::on_down(const caf::down_msg& down) {
  for (auto& pipeline : pipelines_) {
    if (!pipeline.actor || pipeline.actor.address() != down.source)
      continue;
    pipeline.actor = nullptr;
    pipeline.shared->self->set(0, nullptr);
    disconnect_calls(*pipeline.shared);
    auto& board = *pipeline.shared->board;
    const auto state = board.state.load();
    if (state != PipelineState::finished && state != PipelineState::failed) {
      const sdk::Error error{sdk::ErrorKind::internal,
                             "the pipeline's actor died: " + caf::to_string(down.reason)};
      pipeline.shared->env.log->error("pipeline failed",
                                      {{"pipeline", sdk::Value{pipeline.shared->pipeline->name}},
                                       {"error", sdk::Value{error.to_string()}}});
      const std::lock_guard lock{board.mutex};
      board.error = error;
      board.state = PipelineState::failed;
    }
    board.set_ended();
  }
  std::erase_if(pipelines_, [](const Pipeline& pipeline) { return !pipeline.actor; });
  end_if_done();
}

void SupervisorState::end_if_done() {
  if (!pipelines_.empty() || holds_ > 0)
    return;
  if (const auto ended = std::exchange(all_ended_, nullptr))
    ended();
  self_->quit();
}

}  // namespace millrace::actors
