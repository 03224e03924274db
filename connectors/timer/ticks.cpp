#include "connectors/timer/ticks.hpp"

#include <algorithm>

namespace millrace::timer {

Ticks::Ticks(const TimerConfig& config, sdk::Instant now, sdk::WallTime wall)
  : config_{config}, next_{now} {
  if (config_.cron)
    next_wall_ = config_.cron->next(wall, config_.zone);
}

std::optional<std::chrono::nanoseconds> Ticks::due_in(sdk::Instant now, sdk::WallTime wall) const {
  if (!config_.cron)
    return next_ - now;
  if (!next_wall_)
    return std::nullopt;
  return *next_wall_ - wall;
}

Tick Ticks::take(sdk::Instant now, sdk::WallTime wall) {
  Tick tick{.number = ++number_};
  if (!config_.cron) {
    const auto late = (now - next_) / *config_.every;
    tick.missed = std::min<std::uint64_t>(static_cast<std::uint64_t>(late), most_missed);
    next_ += late * *config_.every;
    tick.scheduled = wall - std::chrono::duration_cast<sdk::WallTime::duration>(now - next_);
    next_ += *config_.every;
    return tick;
  }
  tick.scheduled = *next_wall_;
  next_wall_ = config_.cron->next(tick.scheduled, config_.zone);
  while (next_wall_ && *next_wall_ <= wall && tick.missed < most_missed) {
    tick.scheduled = *next_wall_;
    ++tick.missed;
    next_wall_ = config_.cron->next(tick.scheduled, config_.zone);
  }
  if (next_wall_ && *next_wall_ <= wall)
    next_wall_ = config_.cron->next(wall, config_.zone);
  return tick;
}

}  // namespace millrace::timer
