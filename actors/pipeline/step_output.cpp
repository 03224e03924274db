// StepCore, the part that hands records on: in the order of their lane, with what the next step has
// room for, and with a flush behind them.
#include "actors/pipeline/step_core.hpp"

#include <cassert>
#include <utility>

namespace millrace::actors {

StepCore::Regroup::Regroup(StepCore& core) : core_{core} {
  if (core_.traits_.regroups)
    ++core_.regrouping_;
}

StepCore::Regroup::~Regroup() {
  if (core_.traits_.regroups && --core_.regrouping_ == 0)
    core_.empty_outbox();
}

void StepCore::respond(sdk::Batch& batch, std::vector<sdk::Failure>& failures) {
  const auto& step = *settings_.step;
  if (step.output == sdk::no_slot)
    return;
  std::vector<sdk::Failure> all;
  auto failure = failures.begin();
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    if (failure != failures.end() && failure->index == i) {
      all.push_back(std::move(*failure++));
      continue;
    }
    auto& record = batch[i];
    const sdk::Value result = record.get(step.output);
    auto mapped = sdk::Value::object();
    bool ok = true;
    for (const auto& member : step.response) {
      auto value = member.value->evaluate({&record, &result});
      if (!value) {
        all.push_back({i, std::move(value.error())});
        ok = false;
        break;
      }
      mapped.set(member.name, std::move(*value));
    }
    if (ok)
      record.set(step.output, std::move(mapped));
  }
  failures = std::move(all);
}

// What the stage made of a work's records: `response` builds their outputs, and what failed goes
// its own way.
void StepCore::take_results(Place place, sdk::Batch batch, std::vector<sdk::Failure> failures,
                            std::uint32_t tries) {
  if (settings_.step && !settings_.step->response.empty())
    respond(batch, failures);
  if (!failures.empty()) {
    auto failed = extract_failed(batch, failures);
    handle_failures(place, std::move(failed), std::move(failures), tries);
  }
  keep(place, std::move(batch));
}

void StepCore::give(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures) {
  const auto call = calls_.find(ticket);
  assert(call != calls_.end());
  if (batch.empty() || batch.stale())
    return;
  const Regroup regroup{*this};
  const Place place = call->second.place;
  take_results(place, std::move(batch), std::move(failures), UINT32_MAX);
  const auto& lane = works_.at(place).lane;
  const auto front = sequencer_.front(lane.lane, lane.attempt);
  if (!front || *front == place)  // none: lanes are not kept in order
    hand_on_given(place);
}

void StepCore::hand_on_given(Place place) {
  auto& work = works_.at(place);
  if (work.finished.empty())
    return;
  std::vector<sdk::Batch> ready;
  ready.push_back(std::exchange(work.finished, {}));
  hand_on(std::move(ready));
}

void StepCore::emit(sdk::Batch batch) {
  if (batch.empty() || batch.stale())
    return;
  const Place place = open_work(batch);
  take_results(place, std::move(batch), {}, UINT32_MAX);
  close_one(place);
  if (quiet_) {
    empty_outbox();
    host_.forward_flush();
  }
}

void StepCore::hand_on(std::vector<sdk::Batch> ready) {
  for (auto& batch : ready) {
    ready_ -= batch.size();
    if (batch.stale())
      continue;
    if (settings_.watch) {
      settings_.watch->out.add(batch.size());
      if (settings_.watch->tapped())
        settings_.watch->see(batch, clock().now());
    }
    const bool counted = traits_.expands && host_.counts_room();
    if (counted)
      on_their_way_ += batch.size();
    if (regrouping_ == 0)
      host_.forward(std::move(batch), counted);
    else if (!outbox_.empty() && outbox_.back().lane() == batch.lane()
             && outbox_.back().attempt() == batch.attempt())
      outbox_.back().append(std::move(batch));
    else
      outbox_.push_back(std::move(batch));
  }
}

void StepCore::empty_outbox() {
  for (auto& batch : std::exchange(outbox_, {}))
    host_.forward(std::move(batch), traits_.expands && host_.counts_room());
}

void StepCore::on_flush() {
  quiet_ = true;
  stage_->on_flush();
  flushes_.push_back(sequencer_.next());
  for (std::size_t branch = 0; branch < settings_.branches; ++branch)
    host_.flush_branch(branch);
  if (!error_runs_.empty())
    flush_error_branches();
  forward_due_flush();
}

void StepCore::forward_due_flush() {
  if (in_stage_ > 0)
    return;  // the stage is not called within itself; `call` comes back to this
  bool due = false;
  for (; !flushes_.empty() && flushes_.front() <= sequencer_.oldest(); flushes_.pop_front())
    due = true;
  if (!due)
    return;
  // Batches that waited for a retry in front of them came to the stage after the flush did.
  stage_->on_flush();
  empty_outbox();
  host_.forward_flush();
}

void StepCore::send(std::size_t branch, sdk::Batch batch) {
  host_.to_branch(branch, std::move(batch));
  if (quiet_)
    host_.flush_branch(branch);
}

std::size_t StepCore::room() const noexcept {
  const auto taken = on_their_way_ + ready_;
  return taken >= settings_.room ? 0 : settings_.room - taken;
}

void StepCore::on_room(std::size_t records) {
  const Regroup regroup{*this};
  on_their_way_ -= std::min(records, on_their_way_);
  stage_->on_room();
}

void StepCore::reset_room() {
  const Regroup regroup{*this};
  if (std::exchange(on_their_way_, 0) > 0)
    stage_->on_room();
}

}  // namespace millrace::actors
