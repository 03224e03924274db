#include "actors/pipeline/pipeline_actor.hpp"

#include "actors/pipeline/source_actor.hpp"
#include "actors/pipeline/step_actor.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds restart_base{10};
constexpr milliseconds restart_cap{5'000};
constexpr milliseconds refusal_base{1'000};

}  // namespace

caf::behavior pipeline_actor(caf::stateful_actor<PipelineActorState>* self,
                             const std::shared_ptr<PipelineShared>& shared) {
  return self->state.start(shared);
}

PipelineActorState::~PipelineActorState() {
  // Where this actor dies of itself, nothing of the pipeline may stay behind.
  kill(source_);
  for (const auto& child : children_)
    kill(child.actor);
}

caf::behavior PipelineActorState::start(std::shared_ptr<PipelineShared> shared) {
  shared_ = std::move(shared);
  report_exceptions(self_);
  self_->set_default_handler(caf::drop);
  self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
  jitter_.seed(shared_->env.seed);
  RestartPolicy::Settings settings;
  settings.restarts = shared_->options.restarts;
  settings.window = shared_->options.restart_window;
  settings.base = restart_base;
  settings.cap = restart_cap;
  policy_.emplace(settings);
  layout_ = lay_out(*shared_);
  for (const auto& node : layout_.nodes) {
    for (std::size_t replica = 0; replica < node->address->size(); ++replica) {
      Child child;
      child.node = node;
      child.replica = replica;
      children_.push_back(std::move(child));
    }
  }
  for (std::size_t i = 0; i < children_.size(); ++i)
    spawn_child(i);
  if (children_.empty())
    on_all_started();
  return behavior();
}

caf::behavior PipelineActorState::behavior() {
  return {
    [this](const StepStarted& started) { on_started(started); },
    [this](const Pong& pong) { on_pong(pong); },
    [this](const StepFinished& finished) { on_finished(finished); },
    [this](const AskWhole& ask) {
      question_ = ask.question;
      start_round();
    },
    [this](Convicted) { policy_->forgive(); },
    [this](const RecordFailed& failed) { fail(failed.failure->error, failed.failure->step); },
    [this](const SourceFailed& failed) { fail(failed.error, shared_->pipeline->source.name); },
    [this](SourceDrained) { on_drained(); },
    [this](RespawnSource) { respawn_source(); },
    [this](const RestartChild& restart) {
      if (!ending_ && find(restart.child, restart.epoch) && !children_[restart.child].actor)
        spawn_child(restart.child);
    },
    [this](const StopPipeline& stop) { on_stop(stop); },
    [this](const PausePipeline& pause) { on_pause(pause.paused); },
    [this](const InjectRecord& injected) {
      // Where it cannot go in, its lane answers as it goes.
      if (source_memory_ && !stopping_ && !drained_ && !ending_)
        source_memory_->hub->emit(std::move(*injected.intake));
    },
    [this](GiveUp) { on_give_up(); },
  };
}

PipelineActorState::Child* PipelineActorState::find(std::size_t index, std::uint64_t epoch) {
  return index < children_.size() && children_[index].epoch == epoch ? &children_[index] : nullptr;
}

void PipelineActorState::set_state(PipelineState state) {
  shared_->board->state = state;
}

void PipelineActorState::spawn_child(std::size_t index) {
  auto& child = children_[index];
  ++child.epoch;
  child.started = child.finishing = child.finished = false;
  child.refusal.reset();
  child.actor = self_->spawn(step_actor, StepArguments{shared_, child.node, index, child.epoch},
                             caf::actor_cast<caf::actor>(self_));
  self_->monitor(child.actor);
  child.node->address->set(child.replica, child.actor);
  if (shared_->on_spawn)
    shared_->on_spawn(child.node->step->name, child.actor);
}

void PipelineActorState::spawn_source() {
  if (!source_memory_) {
    source_memory_ = std::make_shared<SourceMemory>(shared_->options.credit_records,
                                                    shared_->options.credit_bytes);
    source_memory_->hub->pause(shared_->board->paused);
  }
  source_ = self_->spawn(source_actor,
                         SourceArguments{shared_, source_memory_, layout_.first,
                                         layout_.source_error_branches, layout_.source,
                                         layout_.source_watch},
                         caf::actor_cast<caf::actor>(self_));
  self_->monitor(source_);
  if (shared_->on_spawn)
    shared_->on_spawn(shared_->pipeline->source.name, source_);
  if (stopping_)
    self_->send(source_, StopSource{});
}

void PipelineActorState::on_started(const StepStarted& started) {
  auto* child = find(started.child, started.epoch);
  if (!child || ending_)
    return;
  if (!started.error) {
    child->started = true;
    child->refusals = 0;
    if (all_started())
      on_all_started();
    return;
  }
  if (!started.error->retryable()) {
    fail(*started.error, child->node->step->name);
    return;
  }
  child->refusal = started.error;
}

bool PipelineActorState::all_started() const {
  return std::all_of(children_.begin(), children_.end(),
                     [](const Child& child) { return child.started; });
}

void PipelineActorState::on_all_started() {
  if (!source_memory_) {
    set_state(stopping_ ? PipelineState::draining : PipelineState::running);
    shared_->env.log->info("pipeline started", {{"pipeline", sdk::Value{shared_->pipeline->name}}});
    spawn_source();
    return;
  }
  for (const auto& child : children_)
    self_->send(child.actor, ResetRoom{});
  // Who died with nothing but a flush before it lost no record: nobody else would send it again.
  if (source_)
    self_->send(source_, Flush{});
  if (question_)
    start_round();
  else
    set_state(stopping_ || drained_ ? PipelineState::draining : PipelineState::running);
  finish_if_ready();
}

// A step that answers lives after the loss; one that does not has died, and we shall hear of it.
void PipelineActorState::start_round() {
  if (!question_ || !all_started() || ending_)
    return;
  ++round_;
  for (auto& child : children_) {
    child.answered = false;
    self_->send(child.actor, Ping{round_});
  }
  if (children_.empty())
    on_pong({});
}

void PipelineActorState::on_pong(const Pong& pong) {
  if (auto* child = find(pong.child, pong.epoch); child && pong.round == round_)
    child->answered = true;
  const bool whole = std::all_of(children_.begin(), children_.end(), [](const Child& child) {
    return child.started && child.answered;
  });
  if (!whole || !question_ || ending_ || !source_)
    return;  // the next source asks anew
  self_->send(source_, Whole{*question_, std::exchange(recovery_, {})});
  question_.reset();
  set_state(stopping_ || drained_ ? PipelineState::draining : PipelineState::running);
}

void PipelineActorState::on_down(const caf::down_msg& down) {
  if (source_ && down.source == source_.address()) {
    source_ = nullptr;
    layout_.source->set(0, nullptr);  // one that died at its start still holds what it was given
    if (ending_)
      leave_if_alone();
    else
      on_source_down(down.reason);
    return;
  }
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto& child = children_[i];
    if (!child.actor || down.source != child.actor.address())
      continue;
    child.actor = nullptr;
    child.started = child.finished = false;
    child.node->address->set(child.replica, nullptr);
    if (ending_)
      leave_if_alone();
    else
      on_child_down(i, down.reason);
    return;
  }
}

void PipelineActorState::on_child_down(std::size_t index, const caf::error& reason) {
  auto& child = children_[index];
  if (child.refusal) {
    on_refused(index);
    return;
  }
  const auto& step = child.node->step->name;
  const bool crashed = is_crash(reason);
  if (crashed)
    recovery_.crashed.push_back(step);
  else
    recovery_.killed = true;
  const auto delay = policy_->on_death(shared_->env.clock->now(), jitter_);
  const auto why = reason ? caf::to_string(reason) : std::string{"it quit"};
  if (!delay) {
    fail(sdk::Error{sdk::ErrorKind::crash, "step '" + step + "' died too often: " + why}, step);
    return;
  }
  ++shared_->board->restarts;
  set_state(PipelineState::recovering);
  shared_->env.log->warn(
    "step died, it is started again",
    {{"pipeline", sdk::Value{shared_->pipeline->name}},
     {"step", sdk::Value{step}},
     {"reason", sdk::Value{why}},
     {"delay_ms", sdk::Value{std::chrono::duration_cast<milliseconds>(*delay).count()}}});
  restart_later(index, *delay);
}

// It said that trying again may help; the pipeline does so as often as it restarts what dies.
void PipelineActorState::on_refused(std::size_t index) {
  auto& child = children_[index];
  if (!policy_->on_death(shared_->env.clock->now(), jitter_)) {
    fail(child.refusal->with_attempts(child.refusals + 1), child.node->step->name);
    return;
  }
  const auto delay = sdk::Backoff{refusal_base, restart_cap}.wait(++child.refusals, jitter_);
  shared_->env.log->warn(
    "step could not start, it is tried again",
    {{"pipeline", sdk::Value{shared_->pipeline->name}},
     {"step", sdk::Value{child.node->step->name}},
     {"error", sdk::Value{child.refusal->to_string()}},
     {"delay_ms", sdk::Value{std::chrono::duration_cast<milliseconds>(delay).count()}}});
  restart_later(index, delay);
}

// What it had open is in its memory: the next actor goes on with it.
void PipelineActorState::on_source_down(const caf::error& reason) {
  if (drained_)
    return;  // there is nothing left for it to do
  const auto& source = shared_->pipeline->source.name;
  recovery_.killed = true;
  const auto why = reason ? caf::to_string(reason) : std::string{"it quit"};
  const auto delay = policy_->on_death(shared_->env.clock->now(), jitter_);
  if (!delay) {
    const auto* operation = shared_->pipeline->source.operation_info;
    source_memory_->log_unsettled(*shared_->env.log, shared_->pipeline->name,
                                  operation && operation->rereads);
    fail(sdk::Error{sdk::ErrorKind::crash, "the source's actor died too often: " + why}, source);
    return;
  }
  ++shared_->board->restarts;
  set_state(PipelineState::recovering);
  shared_->env.log->warn(
    "source died, it is started again",
    {{"pipeline", sdk::Value{shared_->pipeline->name}},
     {"source", sdk::Value{source}},
     {"reason", sdk::Value{why}},
     {"delay_ms", sdk::Value{std::chrono::duration_cast<milliseconds>(*delay).count()}}});
  self_->delayed_send(self_, *delay, RespawnSource{});
}

void PipelineActorState::respawn_source() {
  if (ending_ || source_ || drained_)
    return;
  spawn_source();
  if (all_started() && !question_)
    set_state(stopping_ ? PipelineState::draining : PipelineState::running);
}

void PipelineActorState::restart_later(std::size_t index, std::chrono::nanoseconds delay) {
  self_->delayed_send(self_, delay, RestartChild{index, children_[index].epoch});
}

void PipelineActorState::on_drained() {
  drained_ = true;
  if (!ending_)
    set_state(PipelineState::draining);
  finish_if_ready();
}

void PipelineActorState::finish_if_ready() {
  if (!drained_ || ending_ || !all_started())
    return;
  for (auto& child : children_) {
    if (!std::exchange(child.finishing, true))
      self_->send(child.actor, Finish{});
  }
  if (children_.empty())
    end(PipelineState::finished);
}

void PipelineActorState::on_finished(const StepFinished& finished) {
  auto* child = find(finished.child, finished.epoch);
  if (!child || ending_)
    return;
  if (finished.error) {
    fail(*finished.error, child->node->step->name);
    return;
  }
  child->finished = true;
  if (std::all_of(children_.begin(), children_.end(),
                  [](const Child& one) { return one.finished; }))
    end(PipelineState::finished);
}

void PipelineActorState::on_stop(const StopPipeline& stop) {
  if (ending_ || stopping_)
    return;
  stopping_ = true;
  shared_->board->paused = false;
  set_state(PipelineState::draining);
  if (source_)
    self_->send(source_, StopSource{});
  self_->delayed_send(self_, stop.deadline, GiveUp{});
}

void PipelineActorState::on_pause(bool paused) {
  if (ending_ || stopping_ || shared_->board->paused == paused)
    return;
  shared_->board->paused = paused;
  if (source_memory_)
    source_memory_->hub->pause(paused);
  shared_->env.log->info(paused ? "pipeline paused" : "pipeline resumed",
                         {{"pipeline", sdk::Value{shared_->pipeline->name}}});
}

void PipelineActorState::on_give_up() {
  if (ending_)
    return;
  fail(sdk::Error{sdk::ErrorKind::cancelled, "stopped with "
                                               + std::to_string(shared_->board->open.load())
                                               + " records unfinished"},
       {});
}

void PipelineActorState::fail(const sdk::Error& error, const std::string& step) {
  if (ending_)
    return;
  {
    const std::lock_guard lock{shared_->board->mutex};
    shared_->board->error = error;
    shared_->board->failed_step = step;
  }
  shared_->env.log->error("pipeline failed", {{"pipeline", sdk::Value{shared_->pipeline->name}},
                                              {"step", sdk::Value{step}},
                                              {"error", sdk::Value{error.to_string()}}});
  end(PipelineState::failed);
}

void PipelineActorState::end(PipelineState state) {
  ending_ = true;
  last_ = state;
  kill(source_);
  for (const auto& child : children_)
    kill(child.actor);
  leave_if_alone();
}

void PipelineActorState::leave_if_alone() {
  if (!ending_ || source_)
    return;
  for (const auto& child : children_) {
    if (child.actor)
      return;
  }
  if (source_memory_)
    source_memory_->close();
  set_state(last_);
  self_->quit();
}

}  // namespace millrace::actors
