// Durations and patterns of time.
#include "dsl/expression/time_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace millrace::dsl {

namespace {

using std::chrono::microseconds;

/// One designator of a duration, in the order in which they may stand.
struct Part {
  char letter;
  bool time;
  std::int64_t months;
  std::int64_t days;
  std::int64_t seconds;
};

constexpr std::array parts{
  Part{'Y', false, 12, 0, 0}, Part{'M', false, 1, 0, 0},   Part{'W', false, 0, 7, 0},
  Part{'D', false, 0, 1, 0},  Part{'H', true, 0, 0, 3600}, Part{'M', true, 0, 0, 60},
  Part{'S', true, 0, 0, 1},
};

constexpr std::int64_t most = 1'000'000'000;  // of any designator; far beyond what a time can take

bool whole_number(std::string_view& rest, std::int64_t& out) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
  if (error != std::errc{} || out < 0 || out > most || rest.front() == '-')
    return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

/// The digits behind a decimal point, as microseconds of a second.
bool fraction_of_second(std::string_view& rest, std::int64_t& out) {
  std::size_t digits = 0;
  out = 0;
  for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits)
    out = digits < 6 ? out * 10 + (rest[digits] - '0') : out;
  for (std::size_t i = digits; i < 6; ++i)
    out *= 10;
  rest.remove_prefix(digits);
  return digits > 0 && digits <= 9;
}

void append_padded(std::string& out, std::int64_t number, int width) {
  std::array<char, 24> text{};
  const int size = std::snprintf(text.data(), text.size(), "%0*lld", width,
                                 static_cast<long long>(number));
  out.append(text.data(), static_cast<std::size_t>(size));
}

constexpr std::array<std::string_view, 7> weekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names{
  "January", "February", "March",     "April",   "May",      "June",
  "July",    "August",   "September", "October", "November", "December"};

}  // namespace

std::optional<IsoDuration> parse_iso_duration(std::string_view text) {
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (!text.starts_with('P'))
    return std::nullopt;
  text.remove_prefix(1);
  IsoDuration duration;
  std::size_t next = 0;  // the first part that may still come
  bool time = false;
  bool any = false;
  while (!text.empty()) {
    if (!time && text.front() == 'T') {
      time = true;
      any = false;
      text.remove_prefix(1);
      continue;
    }
    std::int64_t number = 0;
    std::int64_t micros = 0;
    bool fraction = false;
    if (!whole_number(text, number))
      return std::nullopt;
    if (text.starts_with('.') || text.starts_with(',')) {
      text.remove_prefix(1);
      fraction = true;
      if (!fraction_of_second(text, micros))
        return std::nullopt;
    }
    if (text.empty())
      return std::nullopt;
    while (next < parts.size() && (parts[next].letter != text.front() || parts[next].time != time))
      ++next;
    if (next == parts.size() || (fraction && parts[next].letter != 'S'))
      return std::nullopt;
    const Part& part = parts[next++];
    duration.months += number * part.months;
    duration.days += number * part.days;
    duration.time += microseconds{number * part.seconds * 1'000'000 + micros};
    any = true;
    text.remove_prefix(1);
  }
  if (!any)
    return std::nullopt;
  if (negative) {
    duration.months = -duration.months;
    duration.days = -duration.days;
    duration.time = -duration.time;
  }
  return duration;
}

std::optional<std::string> format_pattern(const TimePoint& time, std::string_view pattern) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(time.at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time.at - day};
  const auto year = static_cast<int>(date.year());
  const auto month = static_cast<unsigned>(date.month());
  const std::chrono::weekday weekday{day};
  const auto micros = clock.subseconds().count();
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    if (++i == pattern.size())
      return std::nullopt;
    switch (pattern[i]) {
    case 'Y':
      append_padded(out, year, 4);
      break;
    case 'y':
      append_padded(out, year % 100, 2);
      break;
    case 'm':
      append_padded(out, month, 2);
      break;
    case 'd':
      append_padded(out, static_cast<unsigned>(date.day()), 2);
      break;
    case 'H':
      append_padded(out, clock.hours().count(), 2);
      break;
    case 'M':
      append_padded(out, clock.minutes().count(), 2);
      break;
    case 'S':
      append_padded(out, clock.seconds().count(), 2);
      break;
    case 'f':
      append_padded(out, micros, 6);
      break;
    case 'L':
      append_padded(out, micros / 1000, 3);
      break;
    case 'j':
      append_padded(out, (day - std::chrono::sys_days{date.year() / 1 / 1}).count() + 1, 3);
      break;
    case 'u':
      append_padded(out, weekday.iso_encoding(), 1);
      break;
    case 'a':
      out += weekdays[weekday.c_encoding()].substr(0, 3);
      break;
    case 'A':
      out += weekdays[weekday.c_encoding()];
      break;
    case 'b':
      out += month_names[month - 1].substr(0, 3);
      break;
    case 'B':
      out += month_names[month - 1];
      break;
    case 's':
      append_padded(out, floor<std::chrono::seconds>(time.at).time_since_epoch().count(), 1);
      break;
    case 'F':
      out += *format_pattern(time, "%Y-%m-%d");
      break;
    case 'T':
      out += *format_pattern(time, "%H:%M:%S");
      break;
    case 'Z':
      out += "UTC";
      break;
    case '%':
      out += '%';
      break;
    default:
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace millrace::dsl
