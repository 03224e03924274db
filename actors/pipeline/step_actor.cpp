#include "actors/pipeline/step_actor.hpp"

#include <utility>

namespace millrace::actors {

caf::behavior step_actor(caf::stateful_actor<StepState>* self, const StepArguments& arguments,
                         const caf::actor& pipeline) {
  return self->state.start(arguments, pipeline);
}

caf::behavior StepState::start(StepArguments arguments, const caf::actor& pipeline) {
  arguments_ = std::move(arguments);
  pipeline_ = pipeline;
  open(*arguments_.shared, arguments_.node->branches, arguments_.node->is_dead_letter);
  auto error = start_stage();
  self_->send(pipeline_, StepStarted{arguments_.child, arguments_.epoch, error});
  if (error) {
    self_->quit(caf::exit_reason::user_shutdown);
    return {};
  }
  return behavior();
}

std::optional<sdk::Error> StepState::start_stage() {
  const auto& shared = *arguments_.shared;
  const auto& node = *arguments_.node;
  StepCore::Settings settings;
  settings.name = node.step->name;
  settings.step = node.step;
  settings.errors = &node.step->errors;
  settings.branches = node.stage_branches;
  settings.limited = node.is_limited;
  settings.convictions = &shared.convictions;
  settings.clock = shared.env.clock;
  settings.log = shared.env.log;
  settings.seed = shared.env.seed + arguments_.child * 7919 + arguments_.epoch;
  settings.room = shared.options.credit_records;
  settings.watch = node.watch;
  core_.emplace(std::move(settings), *this);
  auto stage = make_stage(*node.step, shared.env);
  if (!stage)
    return std::move(stage.error());
  if (auto started = core_->start(std::move(*stage)); !started)
    return std::move(started.error());
  return std::nullopt;
}

caf::behavior StepState::behavior() {
  return {
    [this](Delivery& delivery) { on_delivery(delivery); },
    [this](Returned& returned) {
      core_->on_return(returned.branch, std::move(returned.parcel.batch));
    },
    [this](Flush) { core_->on_flush(); },
    [this](InboxFilled) { run_tasks(); },
    [this](TimerDue) { core_->on_wake(); },
    [this](const Room& room) {
      if (room.generation == generation_)
        core_->on_room(room.records);
    },
    [this](ResetRoom) {
      ++generation_;
      core_->reset_room();
    },
    [this](const Ping& ping) {
      self_->send(pipeline_, Pong{arguments_.child, arguments_.epoch, ping.round});
    },
    [this](Finish) { finish(); },
  };
}

void StepState::on_delivery(Delivery& delivery) {
  if (delivery.counted == 0) {
    core_->on_batch(std::move(delivery.parcel.batch));
    return;
  }
  const auto sender = caf::actor_cast<caf::actor>(self_->current_sender());
  const Room room{delivery.parcel.batch.size(), delivery.counted};
  core_->on_batch(std::move(delivery.parcel.batch), [this, sender, room] {
    if (sender)
      self_->send(sender, room);
  });
}

void StepState::finish() {
  core_->finish([this](sdk::Status status) {
    std::optional<sdk::Error> error;
    if (!status)
      error = std::move(status.error());
    self_->send(pipeline_, StepFinished{arguments_.child, arguments_.epoch, std::move(error)});
  });
}

void StepState::forward(sdk::Batch batch, bool counted) {
  const auto& node = *arguments_.node;
  if (node.next) {
    node.next.send(self_, std::move(batch), counted ? generation_ : 0);
    return;
  }
  const auto& shared = *arguments_.shared;
  if (shared.answers && node.end == sdk::Outcome::delivered && shared.result != sdk::no_slot) {
    for (std::size_t i = 0; i < batch.size(); ++i)
      batch.settle_one(i, node.end, batch[i].get(shared.result));
  }
  batch.settle(node.end);
}

void StepState::forward_flush() {
  if (arguments_.node->next)
    arguments_.node->next.flush(self_);
}

bool StepState::counts_room() const noexcept {
  return arguments_.node->next && !arguments_.node->next.branch;
}

}  // namespace millrace::actors
