#include "connectors/sdk/ack.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace millrace::sdk {

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
  case Outcome::delivered:
    return "delivered";
  case Outcome::filtered:
    return "filtered";
  case Outcome::skipped:
    return "skipped";
  case Outcome::dead_lettered:
    return "dead-lettered";
  case Outcome::failed:
    return "failed";
  case Outcome::lost:
    return "lost";
  }
  return "?";
}

std::shared_ptr<Receipt> Receipt::make(LanePtr lane, std::uint32_t attempt,
                                       std::uint64_t first_sequence, std::uint32_t count,
                                       Report report, std::weak_ptr<SettleListener> listener) {
  struct Maker : Receipt {
    Maker(LanePtr lane, std::uint32_t attempt, std::uint64_t first_sequence, std::uint32_t count,
          Report report, std::weak_ptr<SettleListener> listener)
      : Receipt{std::move(lane), attempt, first_sequence, count, report, std::move(listener)} {}
  };

  return std::make_shared<Maker>(std::move(lane), attempt, first_sequence, count, report,
                                 std::move(listener));
}

Receipt::Receipt(LanePtr lane, std::uint32_t attempt, std::uint64_t first_sequence,
                 std::uint32_t count, Report report, std::weak_ptr<SettleListener> listener)
  : lane_{std::move(lane)},
    attempt_{attempt},
    first_sequence_{first_sequence},
    count_{count},
    report_{report},
    listener_{std::move(listener)},
    open_{count} {
}

Ack Receipt::acknowledgement() {
  return Ack{shared_from_this(), 0, count_};
}

std::vector<Settled> Receipt::take_settled() {
  const std::lock_guard lock{mutex_};
  return std::exchange(settled_, {});
}

bool Receipt::complete() const {
  const std::lock_guard lock{mutex_};
  return open_ == 0;
}

bool Receipt::lost() const {
  const std::lock_guard lock{mutex_};
  return lost_;
}

void Receipt::settle(std::uint32_t first, std::uint32_t count, Outcome outcome, Value answer,
                     FailureNotePtr failure) {
  bool tell = report_ == Report::each || outcome >= Outcome::failed;
  {
    const std::lock_guard lock{mutex_};
    if (leaves_.empty()) {
      conclude(first, count, outcome, std::move(answer), std::move(failure));
    } else {
      for (std::uint32_t i = first; i < first + count; ++i)
        settle_leaf(i, outcome, answer, failure);
    }
    if (outcome == Outcome::lost) {
      lost_ = true;
      lane_->raise_attempt(attempt_);
    }
    tell = tell || open_ == 0 || unreported_ * 4 >= count_;
    if (tell)
      unreported_ = 0;
  }
  if (tell) {
    if (const auto listener = listener_.lock())
      listener->on_settled(shared_from_this());
  }
}

void Receipt::settle_leaf(std::uint32_t index, Outcome outcome, const Value& answer,
                          const FailureNotePtr& failure) {
  auto& leaves = leaves_[index];
  assert(leaves.open > 0);
  leaves.worst = std::max(leaves.worst, outcome);
  if (leaves.answer.is_null())
    leaves.answer = answer;
  if (!leaves.failure)
    leaves.failure = failure;
  if (--leaves.open == 0)
    conclude(index, 1, leaves.worst, std::move(leaves.answer), std::move(leaves.failure));
}

void Receipt::conclude(std::uint32_t first, std::uint32_t count, Outcome outcome, Value answer,
                       FailureNotePtr failure) {
  assert(open_ >= count);
  open_ -= count;
  unreported_ += count;
  if (!settled_.empty()) {
    auto& last = settled_.back();
    if (last.outcome == outcome && last.first + last.count == first && answer.is_null()
        && last.answer.is_null() && last.failure == failure) {
      last.count += count;
      return;
    }
  }
  settled_.push_back({first, count, outcome, std::move(answer), std::move(failure)});
}

void Receipt::fork(std::uint32_t first, std::uint32_t count) {
  const std::lock_guard lock{mutex_};
  if (leaves_.empty())
    leaves_.resize(count_);
  for (std::uint32_t i = first; i < first + count; ++i)
    ++leaves_[i].open;
}

Ack::Ack(std::shared_ptr<Receipt> receipt, std::uint32_t first, std::uint32_t count) noexcept
  : receipt_{std::move(receipt)}, first_{first}, count_{count} {
}

Ack::Ack(Ack&& other) noexcept
  : receipt_{std::move(other.receipt_)},
    first_{other.first_},
    count_{std::exchange(other.count_, 0)} {
}

Ack& Ack::operator=(Ack&& other) noexcept {
  if (this != &other) {
    std::move(*this).settle(Outcome::lost);
    receipt_ = std::move(other.receipt_);
    first_ = other.first_;
    count_ = std::exchange(other.count_, 0);
  }
  return *this;
}

Ack::~Ack() {
  std::move(*this).settle(Outcome::lost);
}

void Ack::settle(Outcome outcome, Value answer) && {
  if (const auto count = std::exchange(count_, 0); count > 0) {
    const auto receipt = std::move(receipt_);
    receipt->settle(first_, count, outcome, std::move(answer), nullptr);
  }
}

void Ack::fail(FailureNotePtr failure) && {
  if (const auto count = std::exchange(count_, 0); count > 0) {
    const auto receipt = std::move(receipt_);
    receipt->settle(first_, count, Outcome::failed, {}, std::move(failure));
  }
}

void Ack::release() && noexcept {
  count_ = 0;
  receipt_.reset();
}

Ack Ack::split(std::uint32_t count) {
  assert(count <= count_);
  if (count == 0)
    return {};
  if (count == count_)
    return std::move(*this);
  Ack taken{receipt_, first_, count};
  first_ += count;
  count_ -= count;
  return taken;
}

bool Ack::append(Ack& next) noexcept {
  if (next.empty() || receipt_ != next.receipt_ || first_ + count_ != next.first_)
    return false;
  count_ += next.count_;
  std::move(next).release();
  return true;
}

Ack Ack::fork() {
  if (empty())
    return {};
  receipt_->fork(first_, count_);
  return Ack{receipt_, first_, count_};
}

}  // namespace millrace::sdk
