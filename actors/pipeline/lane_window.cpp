#include "actors/pipeline/lane_window.hpp"

#include "actors/pipeline/injected_lane.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace millrace::actors {

LaneWindow::LaneWindow(sdk::LanePtr lane, Slots slots)
  : lane_{std::move(lane)},
    injected_{injected(lane_) != nullptr},
    slots_{slots},
    attempt_{lane_->attempt()} {
}

void LaneWindow::take(sdk::Intake intake) {
  const std::uint64_t first = base_ + window_.size();
  for (auto& failure : intake.failures)
    unreadable_.emplace(first + failure.index, std::move(failure.error));
  const std::size_t count = intake.records.size();
  std::size_t bytes = intake.bytes;
  for (std::size_t i = 0; i < count; ++i) {
    auto& record = intake.records[i];
    const std::size_t share = bytes / (count - i);
    bytes -= share;
    window_.push_back({std::move(record.at(slots_.output)),
                       slots_.meta ? std::move(record.at(*slots_.meta)) : sdk::Value{},
                       record.position, static_cast<std::uint32_t>(share), false});
  }
}

bool LaneWindow::waiting() const noexcept {
  return !lost_ && next_ < base_ + window_.size();
}

std::optional<LaneWindow::Outgoing>
LaneWindow::next_batch(std::size_t limit, sdk::Receipt::Report report,
                       const std::weak_ptr<sdk::SettleListener>& listener) {
  if (lost_)
    return std::nullopt;
  const std::uint64_t end = base_ + window_.size();
  while (next_ < end && open(next_).settled)
    ++next_;
  if (next_ == end)
    return std::nullopt;
  const std::uint64_t first = next_;
  std::vector<sdk::Record> records;
  records.reserve(std::min<std::size_t>(limit, static_cast<std::size_t>(end - first)));
  Outgoing outgoing;
  for (; next_ < end && records.size() < limit && !open(next_).settled; ++next_) {
    const auto& kept = open(next_);
    auto& record = records.emplace_back();
    record.set(slots_.output, kept.payload);
    if (slots_.meta)
      record.set(*slots_.meta, kept.meta);
    record.position = kept.position;
    record.sequence = next_;
  }
  for (auto bad = unreadable_.lower_bound(first); bad != unreadable_.end() && bad->first < next_;
       ++bad)
    outgoing.failures.push_back({static_cast<std::uint32_t>(bad->first - first), bad->second});
  sent_ += records.size();
  auto receipt = sdk::Receipt::make(lane_, attempt_, first,
                                    static_cast<std::uint32_t>(records.size()), report, listener);
  outgoing.batch = sdk::Batch{lane_, attempt_};
  outgoing.batch.add(std::move(records), receipt->acknowledgement());
  return outgoing;
}

bool LaneWindow::settle(std::uint64_t sequence) {
  assert(sequence < base_ + window_.size());
  if (sequence < base_)
    return false;
  auto& record = open(sequence);
  if (record.settled)
    return false;
  record.settled = true;
  record.payload = {};
  record.meta = {};
  --sent_;
  return true;
}

LaneWindow::Progress LaneWindow::advance() {
  Progress progress;
  while (!window_.empty() && window_.front().settled) {
    ++progress.records;
    progress.bytes += window_.front().bytes;
    progress.position = window_.front().position;
    window_.pop_front();
    ++base_;
  }
  next_ = std::max(next_, base_);
  if (!unreadable_.empty())
    unreadable_.erase(unreadable_.begin(), unreadable_.lower_bound(base_));
  if (base_ >= suspects_end_)
    crashes_ = 0;
  return progress;
}

std::uint64_t LaneWindow::position(std::uint64_t sequence) const noexcept {
  return window_[static_cast<std::size_t>(sequence - base_)].position;
}

void LaneWindow::rewind(bool suspicious) {
  lost_ = false;
  attempt_ = lane_->attempt();
  if (suspicious) {
    // While it is being found out, the suspects stay the same.
    if (++crashes_ <= 2)
      suspects_end_ = std::max(suspects_end_, next_);
  }
  next_ = base_;
  sent_ = 0;
}

LaneWindow::Unsettled LaneWindow::unsettled() const {
  Unsettled some;
  some.lane = lane_->name();
  for (const auto& record : window_) {
    if (record.settled)
      continue;
    if (some.records++ == 0)
      some.first = record.position;
    some.last = record.position;
  }
  return some;
}

bool LaneWindow::suspect() const noexcept {
  return crashes_ >= 2 && base_ < suspects_end_;
}

std::uint64_t LaneWindow::first() const noexcept {
  std::uint64_t sequence = base_;
  for (const auto& record : window_) {
    if (!record.settled)
      break;
    ++sequence;
  }
  return sequence;
}

}  // namespace millrace::actors
