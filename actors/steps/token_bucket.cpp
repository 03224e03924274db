#include "actors/steps/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace millrace::actors {

namespace {

std::chrono::nanoseconds interval_of(double per_second) {
  return std::chrono::nanoseconds{std::llround(1e9 / per_second)};
}

}  // namespace

TokenBuckets::TokenBuckets(double per_second) : interval_{interval_of(per_second)} {
}

std::chrono::nanoseconds TokenBuckets::reserve(std::string_view key, sdk::Instant now) {
  if (next_.size() >= sweep_at_)
    sweep(now);
  auto& next = next_[std::string{key}];
  const auto start = std::max(next, now);
  next = start + interval_;
  return start - now;
}

void TokenBuckets::sweep(sdk::Instant now) {
  std::erase_if(next_, [now](const auto& entry) { return entry.second <= now; });
  sweep_at_ = std::max(sweep_size, next_.size() * 2);
}

}  // namespace millrace::actors
