// Ticks: which tick is due. Takes the time, so tests script it.
//
//   Ticks ticks{config, clock.now(), clock.wall()};
//   if (ticks.due_in(now, wall) <= 0ns) emit(ticks.take(now, wall));
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/timer/config.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace millrace::timer {

struct Tick {
  sdk::WallTime scheduled;
  std::uint64_t number = 0;  // from 1
  std::uint64_t missed = 0;  // that fell due since the last one and are not made up for
};

class Ticks {
public:
  /// Missed ticks are counted up to here.
  static constexpr std::uint64_t most_missed = 1000;

  /// `every` has its first tick at `now`, `cron` its first time after `wall`.
  Ticks(const TimerConfig& config, sdk::Instant now, sdk::WallTime wall);

  /// None: there is no further tick. Zero or less: one is due.
  std::optional<std::chrono::nanoseconds> due_in(sdk::Instant now, sdk::WallTime wall) const;

  /// The latest tick that is due; those before it are missed. One must be due.
  Tick take(sdk::Instant now, sdk::WallTime wall);

private:
  TimerConfig config_;
  sdk::Instant next_;                       // of every
  std::optional<sdk::WallTime> next_wall_;  // of cron
  std::uint64_t number_ = 0;
};

}  // namespace millrace::timer
