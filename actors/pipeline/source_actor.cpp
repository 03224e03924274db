#include "actors/pipeline/source_actor.hpp"

#include "actors/pipeline/injected_lane.hpp"

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

template <class T>
T take_first(std::deque<T>& queue) {
  T first = std::move(queue.front());
  queue.pop_front();
  return first;
}

}  // namespace

caf::behavior source_actor(caf::stateful_actor<SourceState>* self, const SourceArguments& arguments,
                           const caf::actor& pipeline) {
  return self->state.start(arguments, pipeline);
}

caf::behavior SourceState::start(SourceArguments arguments, const caf::actor& pipeline) {
  arguments_ = std::move(arguments);
  pipeline_ = pipeline;
  open(*arguments_.shared, arguments_.error_branches, false);
  jitter_.seed(arguments_.shared->env.seed);
  const auto self = caf::actor_cast<caf::actor>(self_);
  arguments_.address->set(0, self);
  open_gate();
  auto& memory = *arguments_.memory;
  memory.hub->on_news([weak = caf::actor_cast<caf::weak_actor_ptr>(self)] {
    if (const auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
      caf::anon_send(caf::actor_cast<caf::actor>(strong), SourceNews{});
  });
  if (memory.core) {
    memory.core->resume(memory.actions);
    if (!memory.started)
      memory.source.reset();
  } else {
    make_core();
  }
  if (!memory.started && !memory.ended)
    start_source();
  on_news();
  return behavior();
}

void SourceState::open_gate() {
  const auto& shared = *arguments_.shared;
  const auto& program = shared.pipeline->source;
  StepCore::Settings gate;
  gate.name = program.name;
  gate.errors = &program.errors;
  gate.convictions = &shared.convictions;
  gate.clock = shared.env.clock;
  gate.log = shared.env.log;
  gate.seed = shared.env.seed;
  gate.watch = arguments_.watch;
  gate_.emplace(std::move(gate), *this);
  static_cast<void>(gate_->start(std::make_unique<PassThrough>()));
}

void SourceState::make_core() {
  auto& shared = *arguments_.shared;
  auto& memory = *arguments_.memory;
  const auto& program = shared.pipeline->source;
  memory.source = shared.make_source();
  shared.answers = memory.source->answers();
  SourceCore::Settings core;
  core.name = program.name;
  core.slots = {program.output, program.meta};
  core.answers = shared.answers;
  core.batch_records = shared.options.batch_records;
  memory.core.emplace(std::move(core), shared.convictions, memory.hub);
}

void SourceState::start_source() {
  const auto& shared = *arguments_.shared;
  const auto& program = shared.pipeline->source;
  auto& memory = *arguments_.memory;
  if (!memory.source)
    memory.source = shared.make_source();
  sdk::SourceContext context;
  context.pipeline = shared.pipeline->name;
  context.name = program.name;
  context.output = program.output;
  context.meta = program.meta;
  context.events = memory.hub.get();
  context.reactor = shared.env.reactor;
  context.log = shared.env.log;
  context.clock = shared.env.clock;
  context.offsets = shared.offsets.get();
  context.once = shared.options.once;
  auto started = memory.source->start(context);
  if (started) {
    memory.started = true;
    shared.board->set_takes_in();
  } else {
    on_source_failed(started.error());
  }
}

caf::behavior SourceState::behavior() {
  return {
    [this](SourceNews) { on_news(); },
    [this](const Whole& whole) { on_whole(whole); },
    [this](Returned& returned) {
      gate_->on_return(returned.branch, std::move(returned.parcel.batch));
    },
    [this](InboxFilled) { run_tasks(); },
    [this](TimerDue) { gate_->on_wake(); },
    [this](Flush) {
      arguments_.memory->core->flush_again();
      send();
    },
    [this](StopSource) { stop(); },
    [this](RestartSource) {
      if (arguments_.memory->started || stopping_)
        return;
      start_source();
      send();
    },
  };
}

void SourceState::on_news() {
  take_in();  // what another actor was told and did not come to
  arguments_.memory->news = arguments_.memory->hub->take();
  take_in();
  send();
}

void SourceState::take_in() {
  auto& memory = *arguments_.memory;
  while (!memory.news.intakes.empty()) {
    auto intake = take_first(memory.news.intakes);
    arguments_.shared->board->read += intake.records.size();
    memory.failures = 0;
    memory.failing_since.reset();
    memory.core->take(std::move(intake), memory.actions);
  }
  while (!memory.news.receipts.empty())
    memory.core->on_settled(*take_first(memory.news.receipts), memory.actions);
  if (std::exchange(memory.news.ended, false))
    memory.ended = true;
  if (const auto error = std::exchange(memory.news.failed, std::nullopt))
    on_source_failed(*error);
}

void SourceState::on_source_failed(const sdk::Error& error) {
  const auto& shared = *arguments_.shared;
  auto& memory = *arguments_.memory;
  memory.source.reset();
  memory.started = false;
  if (!error.retryable() || gives_up())
    memory.failed = error;  // told once what was read until then has settled
  if (memory.failed || stopping_) {
    memory.ended = true;
    return;
  }
  const auto delay = sdk::Backoff{restart_base, restart_cap}.wait(++memory.failures, jitter_);
  shared.env.log->warn(
    "source failed, it is started again",
    {{"pipeline", sdk::Value{shared.pipeline->name}},
     {"source", sdk::Value{shared.pipeline->source.name}},
     {"error", sdk::Value{error.to_string()}},
     {"delay_ms", sdk::Value{std::chrono::duration_cast<milliseconds>(delay).count()}}});
  self_->delayed_send(self_, delay, RestartSource{});
}

// A run that is to end does not wait for ever; another one does, and says so each time.
bool SourceState::gives_up() {
  const auto& options = arguments_.shared->options;
  auto& since = arguments_.memory->failing_since;
  const auto now = arguments_.shared->env.clock->now();
  if (!since)
    since = now;
  return options.once && now - *since >= options.once_patience;
}

void SourceState::on_whole(const Whole& whole) {
  auto& memory = *arguments_.memory;
  auto& recovery = memory.recovery;
  recovery.killed = recovery.killed || whole.recovery.killed;
  recovery.crashed.insert(recovery.crashed.end(), whole.recovery.crashed.begin(),
                          whole.recovery.crashed.end());
  if (whole.question != memory.questions)
    return;  // something was lost since: another answer is on its way
  memory.core->on_whole(std::exchange(recovery, {}), memory.actions);
  send();
}

void SourceState::stop() {
  auto& memory = *arguments_.memory;
  stopping_ = true;
  if (memory.started)
    memory.source->stop();
  else
    memory.ended = true;
  memory.hub->stop();
  send();
}

// Each piece is taken off before it is carried out: whoever comes after a death does the rest.
void SourceState::send() {
  auto& memory = *arguments_.memory;
  memory.core->send(memory.ended || !memory.hub->has_credit(), memory.actions);
  if (memory.actions.credit_records > 0 || memory.actions.credit_bytes > 0)
    memory.hub->give_back(std::exchange(memory.actions.credit_records, 0),
                          std::exchange(memory.actions.credit_bytes, 0));
  answer_and_advance();
  tell_pipeline();
  update_board();
  send_records();
  report_drained();
}

void SourceState::answer_and_advance() {
  auto& memory = *arguments_.memory;
  while (!memory.actions.answers.empty()) {
    const auto answer = take_first(memory.actions.answers);
    if (auto* sent = injected(answer.lane))
      sent->answer(answer.outcome, answer.value);
    else if (memory.started)
      memory.source->answer(*answer.lane, answer.position, answer.outcome, answer.value);
  }
  while (!memory.actions.advanced.empty()) {
    const auto advanced = take_first(memory.actions.advanced);
    if (memory.started && !injected(advanced.lane))
      memory.source->settled(*advanced.lane, advanced.position);
  }
}

void SourceState::tell_pipeline() {
  auto& memory = *arguments_.memory;
  if (std::exchange(memory.actions.convicted, false))
    self_->send(pipeline_, Convicted{});
  if (const auto stop = std::exchange(memory.actions.stop, nullptr))
    self_->send(pipeline_, RecordFailed{stop});
  if (std::exchange(memory.actions.ask, false))
    self_->send(pipeline_, AskWhole{++memory.questions});
}

void SourceState::send_records() {
  auto& actions = arguments_.memory->actions;
  while (!actions.send.empty()) {
    auto outgoing = take_first(actions.send);
    if (outgoing.failures.empty())
      gate_->on_batch(std::move(outgoing.batch));
    else
      gate_->on_failed_batch(std::move(outgoing.batch), std::move(outgoing.failures));
  }
  if (std::exchange(actions.flush, false))
    gate_->on_flush();
}

void SourceState::update_board() {
  auto& board = *arguments_.shared->board;
  const auto& core = *arguments_.memory->core;
  board.open = core.open();
  for (std::size_t outcome = 0; outcome < board.settled.size(); ++outcome)
    board.settled[outcome] = core.count(static_cast<sdk::Outcome>(outcome));
}

void SourceState::report_drained() {
  const auto& memory = *arguments_.memory;
  if (drained_ || !memory.ended || memory.core->open() > 0)
    return;
  drained_ = true;
  if (memory.failed)
    self_->send(pipeline_, SourceFailed{*memory.failed});
  else if (memory.source)
    memory.source->finish(
      [this, post = post()] { post([this] { self_->send(pipeline_, SourceDrained{}); }); });
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

}  // namespace millrace::actors
