// TokenBuckets: how long an event of a key must wait so that no key exceeds its rate. Pure; takes
// `now`.
//
//   TokenBuckets buckets{100.0};                      // 100/s for each key
//   auto wait = buckets.reserve("customer-7", now);   // zero: go at once
#pragma once

#include "connectors/sdk/clock.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace millrace::actors {

/// Events of a key are spaced evenly; one may go at once after a pause. Keys that could go at once
/// are forgotten, so memory is bounded by the keys that are held back and at most `sweep_size`
/// others.
class TokenBuckets {
public:
  explicit TokenBuckets(double per_second);

  /// Books the next event of `key` and @returns how long it must wait from `now`.
  std::chrono::nanoseconds reserve(std::string_view key, sdk::Instant now);

  std::size_t keys() const noexcept { return next_.size(); }

private:
  static constexpr std::size_t sweep_size = 4096;

  void sweep(sdk::Instant now);

  std::chrono::nanoseconds interval_;
  std::unordered_map<std::string, sdk::Instant> next_;  // when the key's next event may go
  std::size_t sweep_at_ = sweep_size;
};

}  // namespace millrace::actors
