#include "actors/pipeline/step_core.hpp"

#include "actors/pipeline/time_mark.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace millrace::actors {

StepCore::StepCore(Settings settings, StepHost& host)
  : settings_{std::move(settings)},
    host_{host},
    jitter_{settings_.seed},
    sequencer_{!settings_.step || settings_.step->ordered} {
}

StepCore::~StepCore() {
  stage_.reset();  // before what it may still refer to
  for (const auto& [place, work] : works_) {
    if (work.arrived > 0)
      settings_.watch->in_flight -= work.arrived;
  }
}

sdk::Status StepCore::start(StagePtr stage) {
  stage_ = std::move(stage);
  traits_ = stage_->traits();
  return stage_->start(*this);
}

void StepCore::on_batch(sdk::Batch batch, std::function<void()> left) {
  if (settings_.limited)
    TimeMark::drop_late(batch);
  if (batch.empty() || batch.stale()) {
    if (left)
      left();
    return;
  }
  const Regroup regroup{*this};
  if (traits_.one_by_one && batch.size() > 1) {
    const auto last = batch.size() - 1;
    for (std::size_t i = 0; i < last; ++i)
      add(batch.take_one(i), nullptr);
    add(batch.take_one(last), std::move(left));
  } else {
    add(std::move(batch), std::move(left));
  }
}

void StepCore::add(sdk::Batch batch, std::function<void()> left) {
  quiet_ = false;
  const Place place = open_work(batch);
  note_arrival(place, batch.size());
  auto& work = works_.at(place);
  const auto lane = work.lane;
  work.left = std::move(left);
  const bool ordered = !settings_.step || settings_.step->ordered;
  if (ordered && !held_lanes_.empty() && held_lanes_.contains(lane)) {
    work.waiting = std::move(batch);
    queues_[lane].push_back(place);
    return;
  }
  begin(place, std::move(batch));
}

StepCore::Place StepCore::open_work(const sdk::Batch& batch) {
  const LaneKey lane{batch.lane()->id(), batch.attempt()};
  const Place place = sequencer_.open(lane.lane, lane.attempt);
  works_[place].lane = lane;
  return place;
}

void StepCore::note_arrival(Place place, std::size_t records) {
  if (!settings_.watch)
    return;
  auto& work = works_.at(place);
  work.arrived = static_cast<std::uint32_t>(records);
  work.since = clock().now();
  settings_.watch->in.add(records);
  settings_.watch->in_flight += work.arrived;
}

void StepCore::on_failed_batch(sdk::Batch batch, std::vector<sdk::Failure> failures) {
  if (batch.empty() || batch.stale())
    return;
  const Place place = open_work(batch);
  note_arrival(place, batch.size());
  auto failed = extract_failed(batch, failures);
  keep(place, std::move(batch));
  // What could not be read will not read better: no tries are left.
  handle_failures(place, std::move(failed), std::move(failures), UINT32_MAX);
  close_one(place);
}

void StepCore::begin(Place place, sdk::Batch batch) {
  if (batch.stale()) {
    batch = {};
  } else {
    if (settings_.convictions && settings_.convictions->any())
      convict(place, batch);
    if (settings_.step && settings_.step->when)
      test_when(place, batch);
  }
  if (!batch.empty()) {
    if (traits_.holds_lane)
      hold(place);
    call(place, std::move(batch), 1);
  }
  close_one(place);
}

void StepCore::convict(Place place, sdk::Batch& batch) {
  std::vector<bool> taken(batch.size());
  std::vector<sdk::Failure> failures;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto error = settings_.convictions->find(settings_.name, batch.lane()->id(), batch[i].sequence);
    if (!error)
      continue;
    taken[i] = true;
    failures.push_back({static_cast<std::uint32_t>(failures.size()), std::move(*error)});
  }
  if (!failures.empty())
    handle_failures(place, batch.extract(taken), std::move(failures), UINT32_MAX);
}

void StepCore::test_when(Place place, sdk::Batch& batch) {
  std::vector<bool> passes_by(batch.size());
  std::vector<bool> fails(batch.size());
  std::vector<sdk::Failure> failures;
  bool any = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto holds = settings_.step->when->test({&batch[i], nullptr});
    if (!holds) {
      fails[i] = true;
      failures.push_back({static_cast<std::uint32_t>(failures.size()), std::move(holds.error())});
    } else if (!*holds) {
      passes_by[i] = any = true;
    }
  }
  if (!failures.empty()) {
    handle_failures(place, batch.extract(fails), std::move(failures), UINT32_MAX);
    std::vector<bool> left;
    for (std::size_t i = 0; i < fails.size(); ++i) {
      if (!fails[i])
        left.push_back(passes_by[i]);
    }
    passes_by = std::move(left);
  }
  if (any)
    keep(place, batch.extract(passes_by));
}

void StepCore::call(Place place, sdk::Batch batch, std::uint32_t tries) {
  const Ticket ticket = next_ticket_++;
  calls_.emplace(ticket, Call{place, tries});
  ++works_.at(place).open;
  ++in_stage_;
  stage_->process(std::move(batch), ticket);
  --in_stage_;
  forward_due_flush();
}

void StepCore::done(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures) {
  const auto found = calls_.find(ticket);
  assert(found != calls_.end());
  const Call finished = found->second;
  calls_.erase(found);
  if (!batch.empty() && batch.stale()) {
    batch = {};
    failures.clear();
  }
  // Inside a transaction a statement alone is never tried again.
  take_results(finished.place, std::move(batch), std::move(failures),
               traits_.retries ? finished.tries : UINT32_MAX);
  close_one(finished.place);
}

// Failures name places in `batch` before, and in what is returned afterwards.
sdk::Batch StepCore::extract_failed(sdk::Batch& batch, std::vector<sdk::Failure>& failures) {
  std::vector<bool> taken(batch.size());
  for (std::uint32_t i = 0; i < failures.size(); ++i) {
    taken[failures[i].index] = true;
    failures[i].index = i;
  }
  return batch.extract(taken);
}

void StepCore::keep(Place place, sdk::Batch batch) {
  if (batch.empty())
    return;
  ready_ += batch.size();
  auto& work = works_.at(place);
  work.finished = sdk::Batch::merge(std::move(work.finished), std::move(batch));
}

// One of what the work waited for is over.
void StepCore::close_one(Place place) {
  --works_.at(place).open;
  leave_if_done(place);
}

void StepCore::leave_if_done(Place place) {
  const auto found = works_.find(place);
  if (found == works_.end() || found->second.open > 0)
    return;
  auto node = works_.extract(found);
  auto& work = node.mapped();
  if (work.arrived > 0) {
    settings_.watch->in_flight -= work.arrived;
    settings_.watch->latency.observe(clock().now() - work.since, work.arrived);
  }
  std::vector<sdk::Batch> ready;
  sequencer_.complete(place, std::move(work.finished), ready);
  hand_on(std::move(ready));
  if (const auto front = traits_.expands && ready_ > 0
                           ? sequencer_.front(work.lane.lane, work.lane.attempt)
                           : std::nullopt)
    hand_on_given(*front);
  if (work.left)
    work.left();
  if (work.holds)
    release_lane(work.lane);
  forward_due_flush();
}

void StepCore::hold(Place place) {
  auto& work = works_.at(place);
  if (work.holds)
    return;
  work.holds = true;
  ++held_lanes_[work.lane];
}

void StepCore::release_lane(LaneKey lane) {
  const auto held = held_lanes_.find(lane);
  if (--held->second > 0)
    return;
  held_lanes_.erase(held);
  while (!held_lanes_.contains(lane) && queues_.contains(lane)) {
    Place next = 0;
    auto batch = take_waiting(lane, next);
    begin(next, std::move(batch));
  }
}

// What waits first; where the stage takes one batch of a lane at a time, with what waits behind it.
sdk::Batch StepCore::take_waiting(LaneKey lane, Place& first) {
  constexpr std::size_t most_together = 4096;
  auto& queue = queues_.at(lane);
  first = queue.front();
  queue.pop_front();
  auto batch = std::move(works_.at(first).waiting);
  std::vector<Place> joined;
  while (traits_.holds_lane && !queue.empty() && !batch.stale()) {
    auto& next = works_.at(queue.front()).waiting;
    if (batch.size() + next.size() > most_together)
      break;
    batch.append(std::move(next));
    joined.push_back(queue.front());
    queue.pop_front();
  }
  if (queue.empty())
    queues_.erase(lane);
  for (const auto place : joined)
    close_one(place);
  return batch;
}

void StepCore::on_return(std::size_t branch, sdk::Batch batch) {
  // Of an attempt that was given up, perhaps in an earlier life of the stage: that one's joins have
  // the same numbers as ours.
  if (batch.stale())
    return;
  const Regroup regroup{*this};
  if (branch < settings_.branches)
    stage_->on_return(branch, std::move(batch));
  else
    return_from_error_steps(std::move(batch));
}

void StepCore::after(std::chrono::nanoseconds delay, std::uint64_t token) {
  at(clock().now() + delay, [this, token] { stage_->on_timer(token); });
}

void StepCore::at(sdk::Instant when, Due due) {
  timers_.emplace(when, std::move(due));
  arm();
}

void StepCore::arm() {
  if (timers_.empty() || timers_.begin()->first >= armed_)
    return;
  armed_ = timers_.begin()->first;
  host_.wake_at(armed_);
}

void StepCore::on_wake() {
  const Regroup regroup{*this};
  const auto now = clock().now();
  armed_ = sdk::Instant::max();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto due = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    due();
  }
  arm();
}

void StepCore::finish(std::function<void(sdk::Status)> done) {
  stage_->finish(std::move(done));
}

StagePost StepCore::post() {
  return host_.post();
}

const sdk::Clock& StepCore::clock() const noexcept {
  return *settings_.clock;
}

sdk::Log& StepCore::log() const noexcept {
  return *settings_.log;
}

}  // namespace millrace::actors
