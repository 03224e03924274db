#include "actors/pipeline/source_core.hpp"

#include "actors/pipeline/error_decision.hpp"
#include "connectors/sdk/offset_ledger.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors {

namespace {

sdk::FailureNotePtr without_reason() {
  return std::make_shared<const sdk::FailureNote>(sdk::FailureNote{
    sdk::Error{sdk::ErrorKind::internal, "a record failed, and no step said why"}, {}, true});
}

}  // namespace

SourceCore::SourceCore(Settings settings, Convictions& convictions,
                       std::weak_ptr<sdk::SettleListener> listener)
  : settings_{std::move(settings)}, convictions_{convictions}, listener_{std::move(listener)} {
}

void SourceCore::take(sdk::Intake intake, Actions& actions) {
  if (intake.records.empty()) {
    actions.credit_bytes += intake.bytes;
    return;
  }
  const auto id = intake.lane->id();
  open_ += intake.records.size();
  auto lane = lanes_.find(id);
  if (lane == lanes_.end()) {
    forget_unused_lanes();
    lane = lanes_.emplace(id, LaneWindow{intake.lane, settings_.slots}).first;
  }
  lane->second.take(std::move(intake));
  ready_.push_back(id);
}

void SourceCore::on_settled(sdk::Receipt& receipt, Actions& actions) {
  const auto lane = lanes_.find(receipt.lane()->id());
  if (lane == lanes_.end())
    return;
  auto& window = lane->second;
  if (window.attempt() != receipt.attempt())
    return;  // of an attempt that was given up
  const bool lost = receipt.lost();
  for (const auto& settled : receipt.take_settled()) {
    if (settled.outcome != sdk::Outcome::lost)
      settle(window, receipt, settled, actions);
  }
  if (lost && !window.lost()) {
    window.mark_lost();
    actions.ask = true;
  }
  advance(lane, actions);
}

void SourceCore::settle(LaneWindow& window, const sdk::Receipt& receipt,
                        const sdk::Settled& settled, Actions& actions) {
  const bool failed = settled.outcome == sdk::Outcome::failed;
  const bool answers = settings_.answers || window.is_injected();
  const bool stops = failed && (!answers || (settled.failure && settled.failure->stop));
  if (stops && !actions.stop)  // of several, the first says why
    actions.stop = settled.failure ? settled.failure : without_reason();
  if (failed && !answers) {
    counts_[static_cast<std::size_t>(sdk::Outcome::failed)] += settled.count;
    return;  // stays open: nothing moves past it
  }
  if (auto* ledger = window.lane()->ledger())
    ledger->ended(receipt.first_sequence() + settled.first, settled.count);
  for (std::uint32_t i = 0; i < settled.count; ++i) {
    const std::uint64_t sequence = receipt.first_sequence() + settled.first + i;
    if (!window.settle(sequence))
      continue;
    ++counts_[static_cast<std::size_t>(settled.outcome)];
    if (convictions_.any())
      convictions_.remove(window.lane()->id(), sequence);
    if (answers) {
      auto value = settled.failure ? error_value(settled.failure->step, settled.failure->error)
                                   : settled.answer;
      actions.answers.push_back(
        {window.lane(), window.position(sequence), settled.outcome, std::move(value)});
    }
  }
}

void SourceCore::advance(Lanes::iterator lane, Actions& actions) {
  const auto progress = lane->second.advance();
  if (progress.records == 0)
    return;
  open_ -= progress.records;
  actions.credit_records += progress.records;
  actions.credit_bytes += progress.bytes;
  actions.advanced.push_back({lane->second.lane(), progress.position});
  if (alone_ == lane->first)
    alone_.reset();
}

void SourceCore::forget_unused_lanes() {
  // A window goes on with its sequence as long as anybody can bring more for its lane.
  if (lanes_.size() < forget_at_)
    return;
  std::erase_if(lanes_, [](const auto& lane) {
    return lane.second.empty() && lane.second.lane().use_count() == 1;
  });
  forget_at_ = std::max<std::size_t>(64, lanes_.size() * 2);
}

void SourceCore::convict(const LaneWindow& window, const Recovery& recovery) {
  const bool stray = recovery.crashed.empty();
  const auto& step = stray ? settings_.name : recovery.crashed.front();
  // Where it died although it knew (the record came to it as part of another one), the source's own
  // `onError` has it before it gets there.
  const bool again = convictions_.contains(window.lane()->id(), window.first());
  sdk::Error::Detail detail;
  detail.attempts = window.crashes();
  convictions_.add(window.lane()->id(), window.first(), again ? settings_.name : step,
                   sdk::Error{sdk::ErrorKind::crash,
                              stray ? std::string{"a step let go of this record unfinished"}
                                    : "step '" + step + "' died over this record",
                              std::move(detail)});
}

void SourceCore::on_whole(const Recovery& recovery, Actions& actions) {
  // A loss without any death is a step that let go of records: as bad as dying over them.
  const bool suspicious = !recovery.crashed.empty() || !recovery.killed;
  for (auto& [id, window] : lanes_) {
    if (!window.lost())
      continue;
    window.rewind(suspicious);
    ready_.push_back(id);
    if (alone_ != id)
      continue;
    alone_.reset();
    if (!suspicious)
      continue;
    convict(window, recovery);
    actions.convicted = true;
  }
  any_suspect_ = std::any_of(lanes_.begin(), lanes_.end(),
                             [](const auto& lane) { return lane.second.suspect(); });
}

void SourceCore::resume(Actions& actions) {
  for (const auto& [id, window] : lanes_) {
    ready_.push_back(id);
    actions.ask = actions.ask || window.lost();
  }
  flushed_ = false;
}

std::vector<LaneWindow::Unsettled> SourceCore::unsettled() const {
  std::vector<LaneWindow::Unsettled> all;
  for (const auto& [id, window] : lanes_) {
    if (auto some = window.unsettled(); some.records > 0)
      all.push_back(std::move(some));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.lane < b.lane; });
  return all;
}

void SourceCore::send(bool stalled, Actions& actions) {
  if (any_suspect_)
    any_suspect_ = std::any_of(lanes_.begin(), lanes_.end(),
                               [](const auto& lane) { return lane.second.suspect(); });
  if (any_suspect_) {
    send_one(actions);
    stalled = true;
  } else {
    alone_.reset();
    for (const auto id : std::exchange(ready_, {})) {
      if (const auto lane = lanes_.find(id); lane != lanes_.end())
        send_all(lane->second, actions);
    }
  }
  if (!actions.send.empty())
    flushed_ = false;
  if (stalled && !flushed_) {
    actions.flush = true;
    flushed_ = true;
  }
}

void SourceCore::send_all(LaneWindow& window, Actions& actions) {
  const bool each = settings_.answers || window.is_injected() || window.lane()->ledger();
  const auto report = each ? sdk::Receipt::Report::each : sdk::Receipt::Report::in_lumps;
  while (auto outgoing = window.next_batch(settings_.batch_records, report, listener_))
    actions.send.push_back(std::move(*outgoing));
}

void SourceCore::send_one(Actions& actions) {
  // What the other lanes have to send waits in `ready_` until no lane is suspect.
  for (const auto& [id, window] : lanes_) {
    if (window.sent() > 0 || window.lost())
      return;
  }
  for (auto& [id, window] : lanes_) {
    ready_.push_back(id);
    if (!window.suspect() || alone_)
      continue;
    if (auto outgoing = window.next_batch(1, sdk::Receipt::Report::each, listener_)) {
      alone_ = id;
      actions.send.push_back(std::move(*outgoing));
    }
  }
  std::sort(ready_.begin(), ready_.end());
  ready_.erase(std::unique(ready_.begin(), ready_.end()), ready_.end());
}

}  // namespace millrace::actors
