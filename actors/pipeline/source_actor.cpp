#include "actors/pipeline/source_actor.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds restart_base{100};
constexpr milliseconds restart_cap{10'000};

// The stage of the gate: what reaches it is readable.
class PassThrough final : public Stage {
public:
  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    context_->done(ticket, std::move(batch));
  }

private:
  StageContext* context_ = nullptr;
};

}  // namespace

caf::behavior source_actor(caf::stateful_actor<SourceState>* self, const SourceArguments& arguments,
                           const caf::actor& pipeline) {
  return self->state.start(arguments, pipeline);
}

SourceState::~SourceState() {
  if (inbox_)
    inbox_->close();
  close_source();
  if (hub_)
    hub_->on_news(nullptr);
}

caf::behavior SourceState::start(SourceArguments arguments, const caf::actor& pipeline) {
  arguments_ = std::move(arguments);
  pipeline_ = pipeline;
  report_exceptions(self_);
  self_->set_default_handler(caf::drop);
  auto& shared = *arguments_.shared;
  const auto& program = shared.pipeline->source;
  jitter_.seed(shared.env.seed);
  const auto self = caf::actor_cast<caf::actor>(self_);
  arguments_.address->set(0, self);
  inbox_ = std::make_shared<Inbox>(self);
  hub_ = std::make_shared<SourceHub>(shared.options.credit_records, shared.options.credit_bytes);
  hub_->on_news([weak = caf::actor_cast<caf::weak_actor_ptr>(self)] {
    if (const auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
      caf::anon_send(caf::actor_cast<caf::actor>(strong), SourceNews{});
  });

  StepCore::Settings gate;
  gate.name = program.name;
  gate.errors = &program.errors;
  gate.convictions = &shared.convictions;
  gate.clock = shared.env.clock;
  gate.log = shared.env.log;
  gate.seed = shared.env.seed;
  gate_.emplace(std::move(gate), *this);
  static_cast<void>(gate_->start(std::make_unique<PassThrough>()));

  source_ = shared.make_source();
  shared.answers = source_->answers();
  SourceCore::Settings core;
  core.name = program.name;
  core.slots = {program.output, program.meta};
  core.answers = shared.answers;
  core.batch_records = shared.options.batch_records;
  core_.emplace(std::move(core), shared.convictions, hub_);
  start_source();
  report_drained();
  return behavior();
}

void SourceState::start_source() {
  const auto& shared = *arguments_.shared;
  const auto& program = shared.pipeline->source;
  if (!source_)
    source_ = shared.make_source();
  sdk::SourceContext context;
  context.pipeline = shared.pipeline->name;
  context.name = program.name;
  context.output = program.output;
  context.meta = program.meta;
  context.events = hub_.get();
  context.reactor = shared.env.reactor;
  context.log = shared.env.log;
  context.clock = shared.env.clock;
  context.once = shared.options.once;
  if (auto started = source_->start(context); !started)
    on_source_failed(started.error());
}

void SourceState::close_source() {
  if (!source_)
    return;
  hub_->stop();
  source_->stop();
  source_.reset();
}

caf::behavior SourceState::behavior() {
  return {
    [this](SourceNews) { on_news(); },
    [this](const Whole& whole) { on_whole(whole); },
    [this](Returned& returned) {
      gate_->on_return(returned.branch, std::move(returned.parcel.batch));
    },
    [this](InboxFilled) {
      for (auto& task : inbox_->take())
        task();
    },
    [this](TimerDue) { gate_->on_wake(); },
    [this](Flush) {
      core_->flush_again();
      send({});
    },
    [this](StopSource) { stop(); },
    [this](RestartSource) {
      if (source_ || stopping_)
        return;
      start_source();
      send({});
    },
  };
}

void SourceState::on_news() {
  auto news = hub_->take();
  SourceCore::Actions actions;
  for (auto& intake : news.intakes) {
    arguments_.shared->board->read += intake.records.size();
    failures_ = 0;
    core_->take(std::move(intake), actions);
  }
  for (const auto& receipt : news.receipts)
    core_->on_settled(*receipt, actions);
  if (news.ended)
    ended_ = true;
  if (news.failed)
    on_source_failed(*news.failed);
  send(std::move(actions));
}

void SourceState::on_source_failed(const sdk::Error& error) {
  const auto& shared = *arguments_.shared;
  source_.reset();
  if (!error.retryable())
    failed_ = error;  // told once what was read until then has settled
  if (failed_ || stopping_) {
    ended_ = true;
    return;
  }
  const auto delay = full_jitter(restart_base, restart_cap, failures_++, jitter_);
  shared.env.log->warn(
    "source failed, it is started again",
    {{"pipeline", sdk::Value{shared.pipeline->name}},
     {"source", sdk::Value{shared.pipeline->source.name}},
     {"error", sdk::Value{error.to_string()}},
     {"delay_ms", sdk::Value{std::chrono::duration_cast<milliseconds>(delay).count()}}});
  self_->delayed_send(self_, delay, RestartSource{});
}

void SourceState::on_whole(const Whole& whole) {
  recovery_.killed = recovery_.killed || whole.recovery.killed;
  recovery_.crashed.insert(recovery_.crashed.end(), whole.recovery.crashed.begin(),
                           whole.recovery.crashed.end());
  if (whole.question != questions_)
    return;  // something was lost since: another answer is on its way
  SourceCore::Actions actions;
  core_->on_whole(std::exchange(recovery_, {}), actions);
  send(std::move(actions));
}

void SourceState::stop() {
  stopping_ = true;
  if (source_)
    source_->stop();
  else
    ended_ = true;
  hub_->stop();
  send({});
}

void SourceState::send(SourceCore::Actions actions) {
  core_->send(ended_ || !hub_->has_credit(), actions);
  answer_and_advance(actions);
  if (actions.credit_records > 0 || actions.credit_bytes > 0)
    hub_->give_back(actions.credit_records, actions.credit_bytes);
  if (actions.convicted)
    self_->send(pipeline_, Convicted{});
  if (actions.stop)
    self_->send(pipeline_, RecordFailed{actions.stop});
  if (actions.ask)
    self_->send(pipeline_, AskWhole{++questions_});
  update_board();
  for (auto& outgoing : actions.send) {
    if (outgoing.failures.empty())
      gate_->on_batch(std::move(outgoing.batch));
    else
      gate_->on_failed_batch(std::move(outgoing.batch), std::move(outgoing.failures));
  }
  if (actions.flush)
    gate_->on_flush();
  report_drained();
}

void SourceState::answer_and_advance(const SourceCore::Actions& actions) {
  if (!source_)
    return;
  for (const auto& answer : actions.answers)
    source_->answer(*answer.lane, answer.position, answer.outcome, answer.value);
  for (const auto& advanced : actions.advanced)
    source_->settled(*advanced.lane, advanced.position);
}

void SourceState::update_board() {
  auto& board = *arguments_.shared->board;
  board.open = core_->open();
  for (std::size_t outcome = 0; outcome < board.settled.size(); ++outcome)
    board.settled[outcome] = core_->count(static_cast<sdk::Outcome>(outcome));
}

void SourceState::report_drained() {
  if (drained_ || !ended_ || core_->open() > 0)
    return;
  drained_ = true;
  if (failed_)
    self_->send(pipeline_, SourceFailed{*failed_});
  else
    self_->send(pipeline_, SourceDrained{});
}

void SourceState::forward(sdk::Batch batch, bool /*counted*/) {
  if (arguments_.first)
    arguments_.first.send(self_, std::move(batch), 0);
  else
    batch.settle(sdk::Outcome::delivered);
}

void SourceState::forward_flush() {
  if (arguments_.first)
    arguments_.first.flush(self_);
}

bool SourceState::counts_room() const noexcept {
  return false;
}

void SourceState::to_branch(std::size_t branch, sdk::Batch batch) {
  arguments_.error_branches[branch].send(self_, std::move(batch), 0);
}

void SourceState::flush_branch(std::size_t branch) {
  arguments_.error_branches[branch].flush(self_);
}

bool SourceState::to_dead_letter(sdk::Batch& batch) {
  const auto& dead_letter = arguments_.shared->dead_letter;
  if (!dead_letter)
    return false;
  dead_letter.send(self_, std::move(batch), 0);
  return true;
}

void SourceState::wake_at(sdk::Instant when) {
  const auto delay = when - arguments_.shared->env.clock->now();
  self_->delayed_send(self_, std::max<caf::timespan>(delay, caf::timespan{0}), TimerDue{});
}

StagePost SourceState::post() {
  return [inbox = inbox_](std::function<void()> task) { inbox->post(std::move(task)); };
}

}  // namespace millrace::actors
