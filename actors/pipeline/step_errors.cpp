// StepCore, the part that carries out what `onError` says.
#include "actors/pipeline/step_core.hpp"
#include "actors/pipeline/time_mark.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace millrace::actors {

void StepCore::handle_failures(Place place, sdk::Batch failed, std::vector<sdk::Failure> failures,
                               std::uint32_t tries) {
  assert(failed.size() == failures.size());
  std::vector<bool> again(failed.size());
  std::vector<ErrorDecision> decisions;
  decisions.reserve(failures.size());
  std::optional<std::chrono::nanoseconds> delay;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    decisions.push_back(decide(*settings_.errors, failures[i].error, tries, jitter_));
    again[i] = decisions[i].retry_after.has_value();
    if (again[i] && !delay)
      delay = decisions[i].retry_after;  // what failed together is tried again together
  }
  if (settings_.watch)
    settings_.watch->retries.add(static_cast<std::uint64_t>(std::ranges::count(again, true)));
  if (delay)
    retry(place, failed.extract(again), tries, *delay);
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (again[i])
      continue;
    auto record = failed.split(1);
    auto error = std::move(failures[i].error);
    if (tries != UINT32_MAX && tries > error.attempts())
      error = error.with_attempts(tries);
    if (settings_.watch)
      settings_.watch->failed(error, decisions[i].then);
    const auto* rule = decisions[i].rule;
    if (rule && rule->steps && !rule->steps->steps.empty())
      start_error_steps(place, std::move(record), error, *rule);
    else
      act(place, std::move(record), error, decisions[i].then);
  }
}

void StepCore::act(Place place, sdk::Batch record, const sdk::Error& error, dsl::ErrorAction then) {
  switch (then) {
  case dsl::ErrorAction::skip:
    record.settle(sdk::Outcome::skipped);
    return;
  case dsl::ErrorAction::resume:
    if (settings_.step && settings_.step->output != sdk::no_slot)
      record[0].set(settings_.step->output, {});
    keep(place, std::move(record));
    return;
  case dsl::ErrorAction::dead_letter:
    record[0].drop_attachments();  // an open transaction is rolled back before others are told
    if (settings_.errors->error_slot != sdk::no_slot)
      record[0].set(settings_.errors->error_slot, error_value(settings_.name, error));
    if (host_.to_dead_letter(record))
      return;
    break;
  case dsl::ErrorAction::by_default:
  case dsl::ErrorAction::stop:
    break;
  }
  record.take_ack(0).fail(std::make_shared<const sdk::FailureNote>(
    sdk::FailureNote{error, settings_.name, then != dsl::ErrorAction::by_default}));
}

void StepCore::retry(Place place, sdk::Batch batch, std::uint32_t tries,
                     std::chrono::nanoseconds delay) {
  hold(place);
  ++works_.at(place).open;
  // Timers are copyable; the batch is not.
  auto kept = std::make_shared<sdk::Batch>(std::move(batch));
  at(clock().now() + delay, [this, place, tries, kept] {
    if (settings_.limited)
      TimeMark::drop_late(*kept);
    if (!kept->empty() && !kept->stale())
      call(place, std::move(*kept), tries + 1);
    --works_.at(place).open;
    leave_if_done(place);
  });
}

std::size_t StepCore::error_branch(const dsl::ErrorRule& wanted) const {
  std::size_t branch = settings_.branches;
  for (const auto& rule : settings_.errors->rules) {
    if (&rule == &wanted)
      break;
    if (rule.steps && !rule.steps->steps.empty())
      ++branch;
  }
  return branch;
}

void StepCore::flush_error_branches() {
  std::size_t branch = settings_.branches;
  for (const auto& rule : settings_.errors->rules) {
    if (rule.steps && !rule.steps->steps.empty())
      host_.flush_branch(branch++);
  }
}

void StepCore::start_error_steps(Place place, sdk::Batch record, const sdk::Error& error,
                                 const dsl::ErrorRule& rule) {
  if (!error_parts_)
    error_parts_ = std::make_unique<Parts>(*this, [this](PartsNews news) { on_error_parts(news); });
  hold(place);
  ++works_.at(place).open;
  const std::uint64_t id = next_error_run_++;
  const std::size_t branch = error_branch(rule);
  sdk::Batch part{record.lane(), record.attempt()};
  if (rule.then != dsl::ErrorAction::resume)
    record[0].drop_attachments();  // an open transaction is rolled back before others are told
  if (settings_.errors->error_slot != sdk::no_slot)
    record[0].set(settings_.errors->error_slot, error_value(settings_.name, error));
  const auto sequence = record[0].sequence;
  part.add(std::move(record[0]), error_parts_->open(record, id, 1));
  record[0].sequence = sequence;
  error_runs_.emplace(id, ErrorRun{place, std::move(record), error, rule.then});
  host_.to_branch(branch, std::move(part));
  host_.flush_branch(branch);
}

void StepCore::return_from_error_steps(sdk::Batch batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto part = Parts::take(batch, i);
    const auto found = error_runs_.find(part.join);
    if (found == error_runs_.end())
      continue;
    auto run = std::move(found->second);
    error_runs_.erase(found);
    run.record[0] = std::move(batch[i]);
    act(run.place, std::move(run.record), run.error, run.then);
    --works_.at(run.place).open;
    leave_if_done(run.place);
  }
}

void StepCore::on_error_parts(const PartsNews& news) {
  const auto found = error_runs_.find(news.join);
  if (found == error_runs_.end())
    return;
  auto run = std::move(found->second);
  error_runs_.erase(found);
  if (!news.lost) {
    const auto& settled = news.settled.front();
    if (settled.outcome == sdk::Outcome::failed)
      run.record.take_ack(0).fail(settled.failure);
    else
      run.record.settle(settled.outcome);
  }
  run.record = {};
  --works_.at(run.place).open;
  leave_if_done(run.place);
}

}  // namespace millrace::actors
