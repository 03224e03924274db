#include "connectors/timer/cron.hpp"

#include <algorithm>
#include <bit>

namespace millrace::timer {

namespace {

using namespace std::chrono;  // NOLINT(google-build-using-namespace)

constexpr year last_year{2261};  // the system clock counts nanoseconds in 64 bits

bool has(std::uint64_t set, unsigned number) noexcept {
  return (set >> number & 1U) != 0;
}

/// The first number of `set` from `from` on, or -1.
int first_from(std::uint64_t set, unsigned from) noexcept {
  const auto rest = from >= 64 ? 0 : set >> from << from;
  return rest == 0 ? -1 : std::countr_zero(rest);
}

bool fits_month_day(const CronFields& fields, const year_month_day& day) noexcept {
  return has(fields.days, static_cast<unsigned>(day.day()))
         || (fields.last_day && day.day() == (day.year() / day.month() / last).day());
}

bool fits_weekday(const CronFields& fields, const year_month_day& day) noexcept {
  const unsigned weekday_number = weekday{sys_days{day}}.c_encoding();
  if (has(fields.weekdays, weekday_number))
    return true;
  const auto nth = fields.nth_weekday.at(weekday_number);
  const auto number = static_cast<unsigned>(day.day());
  const auto length = static_cast<unsigned>((day.year() / day.month() / last).day());
  return has(nth, (number - 1) / 7 + 1) || (has(nth, 6) && number + 7 > length);
}

/// The first time of day that fits from `from` on, if this day still has one.
std::optional<seconds> first_time(const CronFields& fields, seconds from) noexcept {
  const hh_mm_ss time{from};
  auto hour = static_cast<unsigned>(time.hours().count());
  auto minute = static_cast<unsigned>(time.minutes().count());
  auto second = static_cast<unsigned>(time.seconds().count());
  for (int h = first_from(fields.hours, hour); h >= 0; h = first_from(fields.hours, hour)) {
    if (static_cast<unsigned>(h) != hour)
      minute = second = 0;
    hour = static_cast<unsigned>(h);
    for (int m = first_from(fields.minutes, minute); m >= 0;
         m = first_from(fields.minutes, minute)) {
      if (static_cast<unsigned>(m) != minute)
        second = 0;
      minute = static_cast<unsigned>(m);
      if (const int s = first_from(fields.seconds, second); s >= 0)
        return hours{h} + minutes{m} + seconds{s};
      ++minute;
      second = 0;
    }
    ++hour;
    minute = second = 0;
  }
  return std::nullopt;
}

/// The first local time that fits, from `from` on and before `limit`.
std::optional<local_seconds> first_local(const CronFields& fields, local_seconds from,
                                         local_seconds limit) noexcept {
  auto day = floor<days>(from);
  auto time = from - day;
  while (day < limit) {
    const year_month_day date{day};
    if (date.year() > last_year)
      return std::nullopt;
    if (!has(fields.months, static_cast<unsigned>(date.month()))) {
      day = local_days{(date.year() / date.month() + months{1}) / 1};
    } else {
      if (fits_day(fields, date)) {
        if (const auto found = first_time(fields, time))
          return day + *found < limit ? std::optional{day + *found} : std::nullopt;
      }
      day += days{1};
    }
    time = 0s;
  }
  return std::nullopt;
}

local_seconds to_local(sys_seconds at, seconds offset) noexcept {
  return local_seconds{at.time_since_epoch() + offset};
}

/// The first due time of a schedule of fixed times from `from` on, within a stretch behind
/// `before`.
std::optional<sys_seconds> first_fixed(const CronFields& fields, sys_seconds from,
                                       const ZoneStretch& stretch, seconds before) noexcept {
  const auto resumed = to_local(stretch.begin,
                                stretch.offset);      // what the clock shows at the change
  const auto left = to_local(stretch.begin, before);  // what it would have shown
  if (from == stretch.begin && left < resumed && first_local(fields, left, resumed))
    return stretch.begin;
  // Up to `left` the clock shows again what it has shown before.
  const auto begin = std::max(to_local(from, stretch.offset), left);
  const auto found = first_local(fields, begin, to_local(stretch.end, stretch.offset));
  if (!found)
    return std::nullopt;
  return sys_seconds{found->time_since_epoch() - stretch.offset};
}

std::optional<sys_seconds> first_any(const CronFields& fields, sys_seconds from,
                                     const ZoneStretch& stretch) noexcept {
  const auto found = first_local(fields, to_local(from, stretch.offset),
                                 to_local(stretch.end, stretch.offset));
  if (!found)
    return std::nullopt;
  return sys_seconds{found->time_since_epoch() - stretch.offset};
}

}  // namespace

bool fits_day(const CronFields& fields, year_month_day day) noexcept {
  if (!has(fields.months, static_cast<unsigned>(day.month())))
    return false;
  const bool either = !fields.any_day && !fields.any_weekday;
  const bool by_date = fits_month_day(fields, day);
  return either ? by_date || fits_weekday(fields, day) : by_date && fits_weekday(fields, day);
}

std::optional<sdk::WallTime> CronSchedule::next(sdk::WallTime after, const TimeZone& zone) const {
  auto from = floor<seconds>(after) + 1s;
  while (year_month_day{floor<days>(from)}.year() <= last_year) {
    const auto stretch = zone.stretch(from);
    const auto found = fields_.any_hour ? first_any(fields_, from, stretch)
                                        : first_fixed(fields_, from, stretch,
                                                      zone.stretch(stretch.begin - 1s).offset);
    if (found)
      return *found;
    if (stretch.end <= from)
      return std::nullopt;
    from = stretch.end;
  }
  return std::nullopt;
}

}  // namespace millrace::timer
