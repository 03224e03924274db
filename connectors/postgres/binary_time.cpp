// Dates and times of the plain ISO forms, as PostgreSQL counts them: days and microseconds since
// 2000. Every other form that the server knows is left to it.
#include "connectors/postgres/binary.hpp"

#include <chrono>

namespace millrace::postgres {

namespace {

constexpr std::int64_t second = 1'000'000;  // microseconds
constexpr std::int64_t day = 86'400 * second;
constexpr std::chrono::sys_days epoch{std::chrono::year{2000} / 1 / 1};

// Takes text apart from its front; once something does not fit, nothing does.
class Cursor {
public:
  explicit Cursor(std::string_view text) noexcept : text_{text} {}

  std::int64_t digits(std::size_t count) noexcept {
    std::int64_t number = 0;
    if (text_.size() < count) {
      good_ = false;
      return 0;
    }
    for (const char c : text_.substr(0, count)) {
      good_ = good_ && c >= '0' && c <= '9';
      number = number * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return number;
  }

  bool take(char c) noexcept {
    if (!text_.starts_with(c))
      return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char c) noexcept { good_ = take(c) && good_; }

  void fail_unless(bool ok) noexcept { good_ = good_ && ok; }

  /// Microseconds behind the point.
  std::int64_t fraction() noexcept {
    std::int64_t number = 0;
    int count = 0;
    for (; !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; ++count) {
      number = number * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
      if (count == 6)
        break;
    }
    good_ = good_ && count >= 1 && count <= 6;
    for (; count < 6; ++count)
      number *= 10;
    return number;
  }

  bool good() const noexcept { return good_; }

  bool empty() const noexcept { return text_.empty(); }

private:
  std::string_view text_;
  bool good_ = true;
};

std::int64_t read_date(Cursor& in) noexcept {
  using std::chrono::month;
  using std::chrono::sys_days;
  using std::chrono::year;
  const std::chrono::year_month_day date{
    year{static_cast<int>(in.digits(4))},
    month{(in.expect('-'), static_cast<unsigned>(in.digits(2)))},
    std::chrono::day{(in.expect('-'), static_cast<unsigned>(in.digits(2)))}};
  in.fail_unless(date.ok() && date.year() >= year{1});
  return in.good() ? (sys_days{date} - epoch).count() : 0;
}

std::int64_t read_time(Cursor& in) noexcept {
  const auto hours = in.digits(2);
  in.expect(':');
  const auto minutes = in.digits(2);
  std::int64_t seconds = 0;
  std::int64_t fraction = 0;
  if (in.take(':')) {
    seconds = in.digits(2);
    if (in.take('.'))
      fraction = in.fraction();
  }
  in.fail_unless(hours < 24 && minutes < 60 && seconds < 60);
  return (hours * 3600 + minutes * 60 + seconds) * second + fraction;
}

// @returns nothing where there is none.
std::optional<std::int64_t> read_offset(Cursor& in) noexcept {
  if (in.take('Z'))
    return 0;
  const bool west = in.take('-');
  if (!west && !in.take('+'))
    return std::nullopt;
  const auto hours = in.digits(2);
  std::int64_t minutes = 0;
  if (!in.empty()) {
    in.expect(':');
    minutes = in.digits(2);
  }
  in.fail_unless(hours < 16 && minutes < 60);
  const auto offset = (hours * 60 + minutes) * 60 * second;
  return west ? -offset : offset;
}

}  // namespace

std::optional<std::int32_t> binary_date(std::string_view text) noexcept {
  Cursor in{text};
  const auto days = read_date(in);
  if (!in.good() || !in.empty())
    return std::nullopt;
  return static_cast<std::int32_t>(days);
}

std::optional<std::int64_t> binary_time(std::string_view text) noexcept {
  Cursor in{text};
  const auto time = read_time(in);
  if (!in.good() || !in.empty())
    return std::nullopt;
  return time;
}

std::optional<std::int64_t> binary_timestamp(std::string_view text, bool zone) noexcept {
  Cursor in{text};
  const auto days = read_date(in);
  if (!in.take('T'))
    in.expect(' ');
  const auto time = read_time(in);
  const auto offset = read_offset(in);
  if (!in.good() || !in.empty() || (zone && !offset))
    return std::nullopt;
  return days * day + time - (zone ? *offset : 0);
}

}  // namespace millrace::postgres
