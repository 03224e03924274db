#include "actors/pipeline/actor_host.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors {

ActorHost::~ActorHost() {
  if (inbox_)
    inbox_->close();
}

void ActorHost::open(const PipelineShared& shared, const std::vector<Hop>& branches,
                     bool is_dead_letter) {
  shared_ = &shared;
  branches_ = &branches;
  is_dead_letter_ = is_dead_letter;
  inbox_ = std::make_shared<Inbox>(caf::actor_cast<caf::actor>(self_));
  report_exceptions(self_);
  self_->set_default_handler(caf::drop);
}

void ActorHost::run_tasks() {
  for (auto& task : inbox_->take())
    task();
}

void ActorHost::to_branch(std::size_t branch, sdk::Batch batch) {
  (*branches_)[branch].send(self_, std::move(batch), 0);
}

void ActorHost::flush_branch(std::size_t branch) {
  (*branches_)[branch].flush(self_);
}

bool ActorHost::to_dead_letter(sdk::Batch& batch) {
  if (!shared_->dead_letter || is_dead_letter_)
    return false;
  shared_->dead_letter.send(self_, std::move(batch), 0);
  return true;
}

void ActorHost::wake_at(sdk::Instant when) {
  const auto delay = when - shared_->env.clock->now();
  self_->delayed_send(self_, std::max<caf::timespan>(delay, caf::timespan{0}), TimerDue{});
}

StagePost ActorHost::post() {
  return [inbox = inbox_](std::function<void()> task) { inbox->post(std::move(task)); };
}

}  // namespace millrace::actors
