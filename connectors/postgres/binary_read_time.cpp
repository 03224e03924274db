// Dates, times and intervals: days and microseconds since 2000, written as the server would (ISO,
// ISO 8601, UTC).
#include "connectors/postgres/binary_read.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace millrace::postgres {

namespace {

using sdk::Value;

constexpr std::int64_t second = 1'000'000;  // microseconds
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

// Text of at most so many bytes: what is written here cannot be longer.
class Text {
public:
  Text& operator+=(char c) noexcept {
    *end_++ = c;
    return *this;
  }

  Text& operator+=(std::string_view text) noexcept {
    for (const char c : text)
      *end_++ = c;
    return *this;
  }

  void append(std::int64_t number) noexcept {
    end_ = std::to_chars(end_, buffer_.data() + buffer_.size(), number).ptr;
  }

  void two_digits(std::uint32_t number) noexcept {
    *end_++ = static_cast<char>('0' + number / 10);
    *end_++ = static_cast<char>('0' + number % 10);
  }

  /// Behind a point, without zeros at the end; nothing where there is none.
  void fraction(std::uint32_t microseconds) noexcept {
    if (microseconds == 0)
      return;
    *end_++ = '.';
    for (std::uint32_t unit = 100'000; microseconds > 0; unit /= 10) {
      *end_++ = static_cast<char>('0' + microseconds / unit);
      microseconds %= unit;
    }
  }

  Value value() const { return Value{std::string_view{buffer_.data(), size()}}; }

private:
  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - buffer_.data()); }

  std::array<char, 128> buffer_;  // NOLINT(cppcoreguidelines-pro-type-member-init): written first
  char* end_ = buffer_.data();
};

// Of the Gregorian calendar, carried on in both directions, for every day that the server has.
// @returns whether it is before Christ.
bool append_date(Text& out, std::int64_t days_since_2000) noexcept {
  // Counted from 1 March of a year long ago that begins an era, so that a leap day is the last one
  // of its year. Years 4714 BC to 5874897, in 32 bits without a sign.
  constexpr std::uint32_t century = 36'524;
  constexpr std::uint32_t era = 4 * century + 1;  // 400 years
  constexpr std::uint32_t first_era = 14'700;     // eras before the year 0
  constexpr std::uint32_t days_before_2000 = 730'425 + first_era * era;
  const auto days = static_cast<std::uint32_t>(days_since_2000 + days_before_2000);
  const auto of_era = days % era;
  const auto year_of_era = (of_era - of_era / 1460 + of_era / century - of_era / (era - 1)) / 365;
  const auto of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto months = (5 * of_year + 2) / 153;  // since March
  const auto day_of_month = of_year - (153 * months + 2) / 5 + 1;
  const auto month = months < 10 ? months + 3 : months - 9;
  auto year = static_cast<std::int32_t>(year_of_era + days / era * 400 + (month <= 2 ? 1 : 0))
              - static_cast<std::int32_t>(first_era * 400);
  const bool before_christ = year <= 0;
  if (before_christ)
    year = 1 - year;
  if (year < 10'000) {
    out.two_digits(static_cast<std::uint32_t>(year) / 100);
    out.two_digits(static_cast<std::uint32_t>(year) % 100);
  } else {
    out.append(year);
  }
  out += '-';
  out.two_digits(month);
  out += '-';
  out.two_digits(day_of_month);
  return before_christ;
}

void append_time(Text& out, std::int64_t microseconds) noexcept {
  const auto seconds = static_cast<std::uint32_t>(microseconds / second);
  out.two_digits(seconds / 3600);
  out += ':';
  out.two_digits(seconds / 60 % 60);
  out += ':';
  out.two_digits(seconds % 60);
  out.fraction(static_cast<std::uint32_t>(microseconds - seconds * second));
}

bool is_time(std::int64_t microseconds) noexcept {
  return microseconds >= 0 && microseconds <= day;  // 24:00:00 is one
}

template <class T>
bool is_infinite(T number, Value& out) {
  if (number == std::numeric_limits<T>::max())
    out = Value{"infinity"};
  else if (number == std::numeric_limits<T>::min())
    out = Value{"-infinity"};
  else
    return false;
  return true;
}

bool read_moment(std::string_view bytes, std::string_view zone, Value& out) {
  if (bytes.size() != 8)
    return false;
  const auto moment = load_integer<std::int64_t>(bytes.data());
  if (is_infinite(moment, out))
    return true;
  auto time = moment % day;
  auto days = moment / day;
  if (time < 0) {
    time += day;
    --days;
  }
  Text text;
  const bool before_christ = append_date(text, days);
  text += 'T';
  append_time(text, time);
  text += zone;
  if (before_christ)
    text += " BC";
  out = text.value();
  return true;
}

void append_part(Text& out, std::int64_t number, char unit) noexcept {
  if (number == 0)
    return;
  out.append(number);
  out += unit;
}

}  // namespace

bool read_binary_date(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != 4)
    return false;
  const auto days = load_integer<std::int32_t>(bytes.data());
  if (is_infinite(days, out))
    return true;
  Text text;
  if (append_date(text, days))
    text += " BC";
  out = text.value();
  return true;
}

bool read_binary_time(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != 8)
    return false;
  const auto time = load_integer<std::int64_t>(bytes.data());
  if (!is_time(time))
    return false;
  Text text;
  append_time(text, time);
  out = text.value();
  return true;
}

// Behind the time, the seconds that its zone lies west of Greenwich.
bool read_binary_timetz(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != 12)
    return false;
  const auto time = load_integer<std::int64_t>(bytes.data());
  const auto west = load_integer<std::int32_t>(bytes.data() + 8);
  constexpr std::int32_t most = 16 * 3600;
  if (!is_time(time) || west > most || west < -most)
    return false;
  Text text;
  append_time(text, time);
  text += west <= 0 ? '+' : '-';
  const auto offset = static_cast<std::uint32_t>(west < 0 ? -west : west);
  text.two_digits(offset / 3600);
  if (offset % 3600 != 0) {
    text += ':';
    text.two_digits(offset / 60 % 60);
  }
  if (offset % 60 != 0) {
    text += ':';
    text.two_digits(offset % 60);
  }
  out = text.value();
  return true;
}

bool read_binary_timestamp(std::string_view bytes, const TypeInfo&, Value& out) {
  return read_moment(bytes, "", out);
}

bool read_binary_timestamptz(std::string_view bytes, const TypeInfo&, Value& out) {
  return read_moment(bytes, "+00:00", out);
}

// Microseconds, days, months; each has a sign of its own (ISO 8601, with PostgreSQL's signs).
bool read_binary_interval(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != 16)
    return false;
  const auto time = load_integer<std::int64_t>(bytes.data());
  const auto days = load_integer<std::int32_t>(bytes.data() + 8);
  const auto months = load_integer<std::int32_t>(bytes.data() + 12);
  Text text;
  text += 'P';
  append_part(text, months / 12, 'Y');
  append_part(text, months % 12, 'M');
  append_part(text, days, 'D');
  if (time != 0) {
    text += 'T';
    append_part(text, time / hour, 'H');
    append_part(text, time / minute % 60, 'M');
    if (const auto seconds = time % minute; seconds != 0) {
      const auto size = seconds < 0 ? -seconds : seconds;
      if (seconds < 0)
        text += '-';
      text.append(size / second);
      text.fraction(static_cast<std::uint32_t>(size % second));
      text += 'S';
    }
  } else if (days == 0 && months == 0) {
    text += "T0S";
  }
  out = text.value();
  return true;
}

}  // namespace millrace::postgres
