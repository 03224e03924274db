// Points in time and durations as expressions write them: ISO 8601, always UTC.
//
//   auto start = parse_time(Value{"2026-01-31"});
//   auto end = add(*start, *parse_iso_duration("P1M"));   // 2026-02-28
#pragma once

#include "connectors/sdk/value.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::dsl {

using Microseconds = std::chrono::sys_time<std::chrono::microseconds>;

struct TimePoint {
  Microseconds at;
  bool date_only = false;  // written without a time of day
};

/// Reads `2026-05-31`, `2026-05-31T10:00[:00[.123456]][Z|+02:00]` (a space serves as T, no zone
/// means UTC), or a number of milliseconds since 1970. Years 1 to 9999.
std::optional<TimePoint> parse_time(const sdk::Value& value);

/// `2026-05-31T10:00:00.123Z`; six digits of a second where three do not say it, no time of day for
/// a date.
std::string format_time(const TimePoint& time);

struct IsoDuration {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::chrono::microseconds time{0};
};

/// Reads `[-]P[nY][nM][nW][nD][T[nH][nM][n[.n]S]]`.
std::optional<IsoDuration> parse_iso_duration(std::string_view text);

/// Months first, with the day cut to the length of the month, then days, then the rest.
/// @returns nothing outside the years 1 to 9999.
std::optional<TimePoint> add(const TimePoint& time, const IsoDuration& duration);

enum class TimeUnit : std::uint8_t {
  milliseconds,
  seconds,
  minutes,
  hours,
  days,
  weeks,
  months,
  years
};

/// Singular or plural.
std::optional<TimeUnit> parse_unit(std::string_view name);

/// Whole units from `a` to `b`; negative where `b` is earlier.
std::int64_t difference(const TimePoint& a, const TimePoint& b, TimeUnit unit);

/// Writes the time by a pattern of strftime: %Y %m %d %H %M %S %f (microseconds) %L (milliseconds)
/// %j %a %A %b %B %u %y %s %F %T %Z %%. @returns nothing where the pattern has another one.
std::optional<std::string> format_pattern(const TimePoint& time, std::string_view pattern);

}  // namespace millrace::dsl
