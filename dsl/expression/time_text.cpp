#include "dsl/expression/time_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace millrace::dsl {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr sys_days first_day{std::chrono::year{1} / 1 / 1};
constexpr sys_days end_day{std::chrono::year{10000} / 1 / 1};

std::optional<TimePoint> within_range(Microseconds at, bool date_only) {
  if (at < first_day || at >= end_day)
    return std::nullopt;
  return TimePoint{at, date_only};
}

/// Reads fixed-width fields from the front of a text.
class Fields {
public:
  explicit Fields(std::string_view text) noexcept : rest_{text} {}

  bool number(std::size_t width, int& out) {
    if (rest_.size() < width)
      return false;
    out = 0;
    for (const char c : rest_.substr(0, width)) {
      if (c < '0' || c > '9')
        return false;
      out = out * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return true;
  }

  bool take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos)
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Up to nine digits of a second; what is beyond microseconds is cut.
  bool fraction(microseconds& out) {
    std::int64_t value = 0;
    std::size_t count = 0;
    for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count) {
      if (count < 6)
        value = value * 10 + (rest_[count] - '0');
    }
    if (count == 0 || count > 9)
      return false;
    for (std::size_t i = count; i < 6; ++i)
      value *= 10;
    rest_.remove_prefix(count);
    out = microseconds{value};
    return true;
  }

  char front() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

  bool empty() const noexcept { return rest_.empty(); }

private:
  std::string_view rest_;
};

bool parse_zone(Fields& in, minutes& offset) {
  if (in.empty() || in.take("Zz"))
    return true;
  const bool west = in.front() == '-';
  int hour = 0;
  int minute = 0;
  if (!in.take("+-") || !in.number(2, hour))
    return false;
  if (!in.empty() && (in.take(":"), !in.number(2, minute)))
    return false;
  if (hour > 23 || minute > 59)
    return false;
  offset = (west ? -1 : 1) * (hours{hour} + minutes{minute});
  return true;
}

std::optional<TimePoint> parse_time_text(std::string_view text) {
  Fields in{text};
  int year = 0;
  int month = 0;
  int day = 0;
  if (!in.number(4, year) || !in.take("-") || !in.number(2, month) || !in.take("-")
      || !in.number(2, day))
    return std::nullopt;
  const year_month_day date{std::chrono::year{year},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok())
    return std::nullopt;
  const Microseconds midnight = sys_days{date};
  if (in.empty())
    return within_range(midnight, true);
  int hour = 0;
  int minute = 0;
  int second = 0;
  microseconds fraction{0};
  minutes offset{0};
  if (!in.take("Tt ") || !in.number(2, hour) || !in.take(":") || !in.number(2, minute))
    return std::nullopt;
  if (in.take(":")) {
    if (!in.number(2, second) || (in.take(".") && !in.fraction(fraction)))
      return std::nullopt;
  }
  if (hour > 23 || minute > 59 || second > 59 || !parse_zone(in, offset) || !in.empty())
    return std::nullopt;
  return within_range(
    midnight + hours{hour} + minutes{minute} + seconds{second} + fraction - offset, false);
}

}  // namespace

std::optional<TimePoint> parse_time(const sdk::Value& value) {
  if (value.is_string())
    return parse_time_text(value.as_string());
  if (!value.is_number())
    return std::nullopt;
  constexpr double far = 1e15;  // milliseconds; beyond year 9999
  const double number = value.as_double();
  if (!(number > -far && number < far))
    return std::nullopt;
  const auto at = value.is_integer() ? microseconds{milliseconds{value.as_integer()}}
                                     : microseconds{static_cast<std::int64_t>(number * 1000)};
  return within_range(Microseconds{at}, false);
}

std::string format_time(const TimePoint& time) {
  const auto day = floor<days>(time.at);
  const year_month_day date{day};
  std::array<char, 40> text{};
  auto size = static_cast<std::size_t>(
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())));
  if (time.date_only)
    return {text.data(), size};
  const std::chrono::hh_mm_ss clock{time.at - day};
  const auto micros = static_cast<int>(clock.subseconds().count());
  const bool millis = micros % 1000 == 0;
  size += static_cast<std::size_t>(std::snprintf(
    text.data() + size, text.size() - size,
    millis ? "T%02d:%02d:%02d.%03dZ" : "T%02d:%02d:%02d.%06dZ",
    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
    static_cast<int>(clock.seconds().count()), millis ? micros / 1000 : micros));
  return {text.data(), size};
}

std::optional<TimePoint> add(const TimePoint& time, const IsoDuration& duration) {
  auto day = floor<days>(time.at);
  const auto of_day = time.at - day;
  if (duration.months != 0) {
    const year_month_day date{day};
    const std::int64_t months = static_cast<int>(date.year()) * std::int64_t{12}
                                + static_cast<unsigned>(date.month()) - 1 + duration.months;
    if (months < 12 || months >= std::int64_t{10000} * 12)
      return std::nullopt;
    const std::chrono::year year{static_cast<int>(months / 12)};
    const std::chrono::month month{static_cast<unsigned>(months % 12 + 1)};
    const auto last = (year / month / std::chrono::last).day();
    day = sys_days{year / month / std::min(date.day(), last)};
  }
  constexpr std::int64_t most_days = 4'000'000;
  constexpr auto most_time = days{most_days};
  if (std::abs(duration.days) > most_days || duration.time > most_time
      || duration.time < -most_time)
    return std::nullopt;
  const bool date_only = time.date_only && duration.time.count() == 0;
  return within_range(Microseconds{day} + of_day + days{duration.days} + duration.time, date_only);
}

std::optional<TimeUnit> parse_unit(std::string_view name) {
  constexpr std::array<std::string_view, 8> units{"millisecond", "second", "minute", "hour",
                                                  "day",         "week",   "month",  "year"};
  if (name.ends_with('s'))
    name.remove_suffix(1);
  const auto* found = std::find(units.begin(), units.end(), name);
  if (found == units.end())
    return std::nullopt;
  return static_cast<TimeUnit>(found - units.begin());
}

std::int64_t difference(const TimePoint& a, const TimePoint& b, TimeUnit unit) {
  const auto span = b.at - a.at;
  switch (unit) {
  case TimeUnit::milliseconds:
    return std::chrono::duration_cast<milliseconds>(span).count();
  case TimeUnit::seconds:
    return std::chrono::duration_cast<seconds>(span).count();
  case TimeUnit::minutes:
    return std::chrono::duration_cast<minutes>(span).count();
  case TimeUnit::hours:
    return std::chrono::duration_cast<hours>(span).count();
  case TimeUnit::days:
    return std::chrono::duration_cast<days>(span).count();
  case TimeUnit::weeks:
    return std::chrono::duration_cast<std::chrono::weeks>(span).count();
  case TimeUnit::months:
  case TimeUnit::years:
    break;
  }
  // The largest number of months that, added to `a`, does not pass `b`.
  const year_month_day from{floor<days>(a.at)};
  const year_month_day to{floor<days>(b.at)};
  std::int64_t months = (static_cast<int>(to.year()) - static_cast<int>(from.year()))
                          * std::int64_t{12}
                        + static_cast<int>(static_cast<unsigned>(to.month()))
                        - static_cast<int>(static_cast<unsigned>(from.month()));
  const auto reached = add(a, {.months = months});
  if (months > 0 && reached && reached->at > b.at)
    --months;
  else if (months < 0 && reached && reached->at < b.at)
    ++months;
  return unit == TimeUnit::years ? months / 12 : months;
}

}  // namespace millrace::dsl
