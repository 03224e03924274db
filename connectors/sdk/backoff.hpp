// Backoff: how long to wait before something is tried again: anything from nothing to
// min(cap, base * 2^(attempt - 1)), which is called full jitter. Those who lost a server together
// do not come back together.
//
//   const auto wait = Backoff{100ms, 10s}.wait(attempt, random);
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace millrace::sdk {

/// Plain arithmetic over given random numbers, so that tests script both. Attempts count from 1.
class Backoff {
public:
  Backoff(std::chrono::nanoseconds base, std::chrono::nanoseconds cap) : base_{base}, cap_{cap} {}

  /// The longest that `wait` may give.
  std::chrono::nanoseconds ceiling(std::uint32_t attempt) const noexcept;

  std::chrono::nanoseconds wait(std::uint32_t attempt, std::mt19937_64& random) const;

private:
  std::chrono::nanoseconds base_;
  std::chrono::nanoseconds cap_;
};

}  // namespace millrace::sdk
