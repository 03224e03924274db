#include "actors/steps/once_stage.hpp"

#include "actors/pipeline/error_decision.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

using namespace std::chrono_literals;

// What may not have happened is safe to try again: where it did, the offset tells.
constexpr dsl::RetryPolicy patience{.attempts = 12, .base = 50ms, .cap = 10s};

}  // namespace

OnceStage::OnceStage(const dsl::StepProgram& step, const StageEnv& env)
  : step_{step}, pipeline_{*env.pipeline}, jitter_{env.seed} {
}

sdk::Status OnceStage::start(StageContext& context) {
  context_ = &context;
  return {};
}

void OnceStage::process(sdk::Batch batch, Ticket ticket) {
  drop_stale(batch.lane()->id());
  works_.emplace(ticket, Work{.batch = std::move(batch)});
  go_on(ticket);
}

// What waits for records of an attempt that was given up would wait for ever.
void OnceStage::drop_stale(std::uint64_t lane) {
  std::vector<Ticket> stale;
  for (const auto& [ticket, work] : works_) {
    if (!work.busy && work.batch.stale() && work.batch.lane()->id() == lane)
      stale.push_back(ticket);
  }
  for (const auto ticket : stale)
    drop(ticket);
}

void OnceStage::go_on(Ticket ticket) {
  const auto found = works_.find(ticket);
  if (found == works_.end() || found->second.busy || !is_ready(ticket))
    return;
  auto& work = found->second;
  const auto& batch = work.batch;
  const auto most = work.most == 0 ? batch.size() : std::min(work.most, batch.size());
  work.count = 1;
  while (work.count < most
         && ledger(work).all_ended(batch[work.count - 1].sequence + 1, batch[work.count].sequence))
    ++work.count;
  work.busy = true;
  run(ticket);
}

// Whether a run may begin; as soon as all before it has come to a good end.
bool OnceStage::is_ready(Ticket ticket) {
  auto& batch = works_.at(ticket).batch;
  if (batch.stale()) {
    drop(ticket);
    return false;
  }
  auto& ledger = *batch.lane()->ledger();
  if (ledger.fenced()) {
    batch.settle(sdk::Outcome::filtered);
    give_back(ticket);
    return false;
  }
  // Committed before, though the answer was lost or a step died behind it.
  std::size_t known = 0;
  while (known < batch.size() && static_cast<std::int64_t>(batch[known].position) < ledger.next())
    ++known;
  if (known > 0 && !end_first(ticket, known))
    return false;
  const auto first = batch[0].sequence;
  if (ledger.all_ended(0, first))
    return true;
  ledger.when_ended(
    first, [this, post = context_->post(), ticket] { post([this, ticket] { go_on(ticket); }); });
  return false;
}

void OnceStage::committed(Ticket ticket) {
  auto& work = works_.at(ticket);
  ledger(work).advance(end_of(work));
  work.most *= 2;
  next(ticket);  // which ends what is committed now
}

void OnceStage::next(Ticket ticket) {
  auto& work = works_.at(ticket);
  work.busy = false;
  work.tries = 0;
  if (work.batch.empty())
    give_back(ticket);
  else
    go_on(ticket);
}

void OnceStage::again_with(Ticket ticket, std::size_t most) {
  works_.at(ticket).most = std::max<std::size_t>(1, most);
  next(ticket);
}

void OnceStage::failed(Ticket ticket, const sdk::Error& error) {
  auto& work = works_.at(ticket);
  ++work.tries;
  const bool too_long = error.kind() == sdk::ErrorKind::timeout && work.count > 1;
  const bool unsure = !too_long && (error.retryable() || error.outcome_unknown());
  if (unsure && work.tries < patience.attempts) {
    again_after(ticket, sdk::Backoff{patience.base, patience.cap}.wait(work.tries, jitter_));
  } else if (work.count > 1 && !unsure) {
    again_with(ticket, work.count / 2);
  } else if (const auto decision = decide(step_.errors, error, work.tries, jitter_);
             decision.retry_after && !unsure) {
    again_after(ticket, *decision.retry_after);
  } else {
    fail_first(ticket, error.with_attempts(work.tries));
  }
}

void OnceStage::again_after(Ticket ticket, std::chrono::nanoseconds delay) {
  works_.at(ticket).busy = false;
  context_->after(delay, ticket);
}

void OnceStage::fail_first(Ticket ticket, const sdk::Error& error) {
  context_->give(ticket, works_.at(ticket).batch.split(1), {{0, error}});
  next(ticket);
}

void OnceStage::fence(Ticket ticket, const char* why) {
  const auto& lane = *works_.at(ticket).batch.lane();
  if (!lane.ledger()->fenced())
    context_->log().warn("partition fenced, nothing more of it is committed here",
                         {{"pipeline", sdk::Value{pipeline_.name}},
                          {"lane", sdk::Value{lane.name()}},
                          {"epoch", sdk::Value{lane.ledger()->epoch()}},
                          {"reason", sdk::Value{why}}});
  lane.ledger()->fence();
  next(ticket);
}

// @returns whether there is more.
bool OnceStage::end_first(Ticket ticket, std::size_t count) {
  auto& batch = works_.at(ticket).batch;
  const auto first = batch[0].sequence;
  batch.lane()->ledger()->ended(first, batch[count - 1].sequence - first + 1);
  if (count == batch.size()) {
    give_back(ticket);
    return false;
  }
  context_->give(ticket, batch.split(count));
  return true;
}

void OnceStage::give_back(Ticket ticket) {
  auto work = std::move(works_.extract(ticket).mapped());
  context_->done(ticket, std::move(work.batch));
}

void OnceStage::drop(Ticket ticket) {
  {
    const auto work = works_.extract(ticket);  // what it owes settles as lost
  }
  context_->done(ticket, {});
}

}  // namespace millrace::actors
