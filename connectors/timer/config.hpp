// The options of `type: timer`.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/timer/cron.hpp"
#include "connectors/timer/time_zone.hpp"

#include <chrono>
#include <optional>

namespace millrace::timer {

/// One of the two is set.
struct TimerConfig {
  std::optional<std::chrono::milliseconds> every;
  std::optional<CronSchedule> cron;
  TimeZone zone = TimeZone::utc();  // of cron
};

void read_config(sdk::ConfigReader& in, TimerConfig& out);

}  // namespace millrace::timer
