// CronSchedule: when a cron line falls due, on the local clock of any zone.
//
//   auto schedule = CronSchedule::parse("0 3 * * MON-FRI");
//   auto due = schedule->next(clock.wall(), *TimeZone::find("Europe/Rome"));
//
// Fields: [second] minute hour day-of-month month day-of-week. Each is `*`, numbers, ranges `a-b`,
// steps `*/n`, `a-b/n` and `a/n` (from a on), and lists of them. Months and weekdays have names
// (JAN, MON); Sunday is 0 or 7.
// `?` is `*` in the two day fields. Day of month `L` is the month's last; weekday `FRI#2` is the
// second Friday, `FRIL` the last. @yearly @annually @monthly @weekly @daily @midnight @hourly.
// There is no W and no @reboot.
//
// Where both day fields are restricted (neither begins with `*` or `?`), a day that fits either
// will do.
//
// Daylight saving, after Vixie cron; the hour field decides. If it does not begin with `*`, the
// schedule means times of day: one that the clock skips runs at the first instant behind the gap
// (several skipped ones once), one that comes twice runs the first time only. If it begins with
// `*`, the schedule runs whenever the clock shows a time that fits.
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/timer/time_zone.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::timer {

/// The fields of a schedule as sets: bit n stands for the number n.
struct CronFields {
  std::uint64_t seconds = 1;
  std::uint64_t minutes = 0;
  std::uint64_t hours = 0;
  std::uint64_t days = 0;                     // of the month, 1 to 31
  std::uint64_t months = 0;                   // 1 to 12
  std::uint64_t weekdays = 0;                 // 0 is Sunday
  bool last_day = false;                      // `L`
  std::array<std::uint8_t, 7> nth_weekday{};  // bit n: the nth of the month, bit 6: the last
  bool any_hour = false;                      // the field begins with `*`
  bool any_day = false;                       // the field begins with `*` or `?`
  bool any_weekday = false;                   // the field begins with `*` or `?`
};

class CronSchedule {
public:
  /// @returns kind `config` with column and reason, also for a schedule that never falls due (30
  /// February).
  static sdk::Result<CronSchedule> parse(std::string_view text);

  /// The first time after `after`; none beyond the year 2261, where the clock ends.
  std::optional<sdk::WallTime> next(sdk::WallTime after, const TimeZone& zone) const;

  const CronFields& fields() const noexcept { return fields_; }

private:
  explicit CronSchedule(const CronFields& fields) noexcept : fields_{fields} {}

  CronFields fields_;
};

/// Whether a day fits the month and both day fields.
bool fits_day(const CronFields& fields, std::chrono::year_month_day day) noexcept;

}  // namespace millrace::timer
