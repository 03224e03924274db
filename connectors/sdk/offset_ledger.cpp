#include "connectors/sdk/offset_ledger.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::sdk {

OffsetLedger::OffsetLedger(OffsetKey key, OffsetClaim claim)
  : key_{std::move(key)}, epoch_{claim.epoch}, next_{claim.next} {
}

std::int64_t OffsetLedger::next() const {
  const std::lock_guard lock{mutex_};
  return next_;
}

void OffsetLedger::advance(std::int64_t next) {
  const std::lock_guard lock{mutex_};
  next_ = std::max(next_, next);
}

void OffsetLedger::fence() {
  const std::lock_guard lock{mutex_};
  fenced_ = true;
}

bool OffsetLedger::fenced() const {
  const std::lock_guard lock{mutex_};
  return fenced_;
}

void OffsetLedger::ended(std::uint64_t first, std::uint64_t count) {
  std::vector<std::function<void()>> ready;
  {
    const std::lock_guard lock{mutex_};
    auto end = first + count;
    if (first > base_) {
      // Joined with its neighbours; those that begin later may lie within it.
      auto at = beyond_.upper_bound(first);
      if (at != beyond_.begin() && std::prev(at)->second >= first) {
        --at;
        first = at->first;
      }
      while (at != beyond_.end() && at->first <= end) {
        end = std::max(end, at->second);
        at = beyond_.erase(at);
      }
      beyond_.emplace(first, end);
      return;
    }
    base_ = std::max(base_, end);
    while (!beyond_.empty() && beyond_.begin()->first <= base_) {
      base_ = std::max(base_, beyond_.begin()->second);
      beyond_.erase(beyond_.begin());
    }
    std::erase_if(waiting_, [&](auto& one) {
      if (one.first > base_)
        return false;
      ready.push_back(std::move(one.second));
      return true;
    });
  }
  for (const auto& resume : ready)
    resume();
}

bool OffsetLedger::all_ended(std::uint64_t from, std::uint64_t to) const {
  const std::lock_guard lock{mutex_};
  from = std::max(from, base_);
  if (from >= to)
    return true;
  const auto after = beyond_.upper_bound(from);
  return after != beyond_.begin() && std::prev(after)->second >= to;
}

void OffsetLedger::when_ended(std::uint64_t sequence, std::function<void()> resume) {
  {
    const std::lock_guard lock{mutex_};
    if (base_ < sequence) {
      waiting_.emplace_back(sequence, std::move(resume));
      return;
    }
  }
  resume();
}

}  // namespace millrace::sdk
