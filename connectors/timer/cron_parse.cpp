#include "connectors/sdk/diagnostic.hpp"
#include "connectors/timer/cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace millrace::timer {

namespace {

using sdk::Error;
using sdk::ErrorKind;

constexpr std::array<std::string_view, 12> month_names{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                       "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> weekday_names{"SUN", "MON", "TUE", "WED",
                                                        "THU", "FRI", "SAT"};

struct FieldKind {
  std::string_view name;
  unsigned low;
  unsigned high;
};

constexpr FieldKind second_field{"second", 0, 59};
constexpr FieldKind minute_field{"minute", 0, 59};
constexpr FieldKind hour_field{"hour", 0, 23};
constexpr FieldKind day_field{"day of month", 1, 31};
constexpr FieldKind month_field{"month", 1, 12};
constexpr FieldKind weekday_field{"day of week", 0, 7};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> macros{
  {{"@yearly", "0 0 1 1 *"},
   {"@annually", "0 0 1 1 *"},
   {"@monthly", "0 0 1 * *"},
   {"@weekly", "0 0 * * 0"},
   {"@daily", "0 0 * * *"},
   {"@midnight", "0 0 * * *"},
   {"@hourly", "0 * * * *"}}};

/// One field of the line and where it stands in it.
struct FieldText {
  std::string_view text;
  std::size_t offset;
};

bool equal_names(std::string_view name, std::string_view upper_case) {
  return std::ranges::equal(name, upper_case, [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
  });
}

std::vector<FieldText> split_fields(std::string_view text) {
  std::vector<FieldText> fields;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(" \t", at), text.size());
    fields.push_back({text.substr(at, end - at), at});
    at = end;
  }
  return fields;
}

/// Reads one field into a set; the special forms of the day fields go straight into `out`.
class FieldReader {
public:
  FieldReader(const FieldKind& kind, const FieldText& field, CronFields& out)
    : kind_{kind}, field_{field}, out_{out} {}

  sdk::Result<std::uint64_t> read() {
    std::string_view rest = field_.text;
    while (true) {
      const auto item = rest.substr(0, rest.find(','));
      if (auto taken = read_item(item); !taken)
        return std::move(taken).error();
      if (item.size() == rest.size())
        return set_;
      rest.remove_prefix(item.size() + 1);
    }
  }

private:
  Error fail(std::string_view at, std::string reason, std::string hint = {}) const {
    const auto column = field_.offset + static_cast<std::size_t>(at.data() - field_.text.data())
                        + 1;
    return {ErrorKind::config,
            "cron: " + std::string{kind_.name} + " at column " + std::to_string(column) + ": "
              + std::move(reason),
            {.hint = std::move(hint)}};
  }

  bool is_weekday() const noexcept { return kind_.name == weekday_field.name; }

  bool is_day() const noexcept { return kind_.name == day_field.name; }

  sdk::Status read_item(std::string_view item) {
    if (item.empty())
      return fail(item, "nothing stands here", "a list has no empty parts");
    if (is_day() && equal_names(item, "L")) {
      out_.last_day = true;
      return {};
    }
    if (is_weekday() && item.find('#') != std::string_view::npos)
      return read_nth(item);
    if (is_weekday() && item.size() > 1 && (item.back() == 'L' || item.back() == 'l')
        && number(item.substr(0, item.size() - 1)))
      return take_nth(item, item.substr(0, item.size() - 1), 6);
    const auto slash = item.find('/');
    const auto range = item.substr(0, slash);
    unsigned step = 1;
    if (slash != std::string_view::npos) {
      const auto text = item.substr(slash + 1);
      const auto given = digits(text);
      if (!given || *given == 0 || *given > kind_.high)
        return fail(text, "a step is a number from 1 to " + std::to_string(kind_.high));
      step = *given;
    }
    return read_range(range, step, slash != std::string_view::npos);
  }

  /// `*`, `a`, `a-b`; with a step `a` runs to the end.
  sdk::Status read_range(std::string_view range, unsigned step, bool has_step) {
    const unsigned high = is_weekday() ? 6 : kind_.high;
    if (range == "*" || (range == "?" && (is_day() || is_weekday()))) {
      fill(kind_.low, high, step);
      return {};
    }
    const auto dash = range.find('-');
    const auto first = read_number(range.substr(0, dash));
    if (!first)
      return first.error();
    if (dash == std::string_view::npos) {
      fill(*first, has_step ? std::max(*first, high) : *first, step);
      return {};
    }
    const auto text = range.substr(dash + 1);
    auto last = read_number(text);
    if (!last)
      return std::move(last).error();
    // FRI-SUN runs to the week's end.
    if (is_weekday() && *last == 0 && *first > 0)
      *last = 7;
    if (*last < *first)
      return fail(range, "the range '" + std::string{range} + "' runs backwards",
                  "write it as two ranges, such as 22-23,0-2");
    fill(*first, *last, step);
    return {};
  }

  void fill(unsigned first, unsigned last, unsigned step) {
    for (unsigned i = first; i <= last; i += step)
      set_ |= std::uint64_t{1} << (is_weekday() ? i % 7 : i);
  }

  sdk::Status read_nth(std::string_view item) {
    const auto hash = item.find('#');
    const auto text = item.substr(hash + 1);
    const auto which = digits(text);
    if (!which || *which < 1 || *which > 5)
      return fail(text, "a month has a first to fifth weekday (#1 to #5)");
    return take_nth(item, item.substr(0, hash), *which);
  }

  sdk::Status take_nth(std::string_view item, std::string_view weekday, unsigned which) {
    const auto day = read_number(weekday);
    if (!day)
      return fail(item, "no weekday stands before # or L");
    auto& set = out_.nth_weekday.at(*day % 7);
    set = static_cast<std::uint8_t>(set | (1U << which));
    return {};
  }

  static std::optional<unsigned> digits(std::string_view text) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size())
      return std::nullopt;
    return value;
  }

  /// A number or a name, whatever the range.
  std::optional<unsigned> number(std::string_view text) const {
    if (kind_.name == month_field.name) {
      for (unsigned i = 0; i < month_names.size(); ++i) {
        if (equal_names(text, month_names.at(i)))
          return i + 1;
      }
    }
    if (is_weekday()) {
      for (unsigned i = 0; i < weekday_names.size(); ++i) {
        if (equal_names(text, weekday_names.at(i)))
          return i;
      }
    }
    return digits(text);
  }

  sdk::Result<unsigned> read_number(std::string_view text) const {
    const auto value = number(text);
    const auto range = std::to_string(kind_.low) + " to " + std::to_string(kind_.high);
    if (!value)
      return fail(text, "'" + std::string{text} + "' is no number from " + range, hint_for(text));
    if (*value < kind_.low || *value > kind_.high)
      return fail(text, std::string{text} + " is not from " + range);
    return *value;
  }

  std::string hint_for(std::string_view text) const {
    if (text.find_first_of("Ww") != std::string_view::npos && is_day())
      return "the nearest weekday (W) is not supported";
    if (kind_.name == month_field.name)
      return sdk::did_you_mean(text, {month_names.begin(), month_names.end()});
    if (is_weekday())
      return sdk::did_you_mean(text, {weekday_names.begin(), weekday_names.end()});
    return {};
  }

  const FieldKind& kind_;
  const FieldText& field_;
  CronFields& out_;
  std::uint64_t set_ = 0;
};

sdk::Status read_fields(const std::vector<FieldText>& texts, CronFields& out) {
  const std::size_t skip = texts.size() - 5;

  struct Target {
    const FieldKind& kind;
    std::uint64_t& set;
  };

  const std::array<Target, 6> targets{{{second_field, out.seconds},
                                       {minute_field, out.minutes},
                                       {hour_field, out.hours},
                                       {day_field, out.days},
                                       {month_field, out.months},
                                       {weekday_field, out.weekdays}}};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto& target = targets.at(i + 1 - skip);
    auto set = FieldReader{target.kind, texts[i], out}.read();
    if (!set)
      return std::move(set).error();
    target.set = *set;
  }
  out.any_hour = texts[skip + 1].text.front() == '*';
  const auto is_any = [&](std::size_t i) {
    return texts[skip + i].text.front() == '*' || texts[skip + i].text.front() == '?';
  };
  out.any_day = is_any(2);
  out.any_weekday = is_any(4);
  return {};
}

/// Whether any day of the calendar's cycle of 400 years fits.
bool ever_due(const CronFields& fields) noexcept {
  constexpr std::chrono::sys_days begin{std::chrono::year{2000} / 1 / 1};
  constexpr std::chrono::sys_days end{std::chrono::year{2400} / 1 / 1};
  for (auto day = begin; day < end; day += std::chrono::days{1}) {
    if (fits_day(fields, day))
      return true;
  }
  return false;
}

sdk::Result<std::vector<FieldText>> expand(std::string_view text) {
  auto fields = split_fields(text);
  if (fields.size() == 1 && fields[0].text.starts_with('@')) {
    std::vector<std::string_view> names;
    for (const auto& [name, line] : macros) {
      if (name == fields[0].text)
        return split_fields(line);
      names.push_back(name);
    }
    auto hint = sdk::did_you_mean(fields[0].text, names);
    if (hint.empty())
      hint = "there are @yearly @monthly @weekly @daily @midnight @hourly";
    return Error{ErrorKind::config,
                 "cron: there is no '" + std::string{fields[0].text} + "'",
                 {.hint = std::move(hint)}};
  }
  if (fields.size() == 5 || fields.size() == 6)
    return fields;
  return Error{ErrorKind::config,
               "cron: " + std::to_string(fields.size())
                 + (fields.size() == 1 ? " field" : " fields") + ", but a schedule has 5 or 6",
               {.hint = "[second] minute hour day-of-month month day-of-week, such as 0 3 * * *"}};
}

}  // namespace

sdk::Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  if (const auto bad = text.find_first_of(std::string_view{"\n\r\0", 3});
      bad != std::string_view::npos)
    return Error{ErrorKind::config,
                 "cron: a line break or NUL at column " + std::to_string(bad + 1)};
  auto texts = expand(text);
  if (!texts)
    return std::move(texts).error();
  CronFields fields;
  if (auto read = read_fields(*texts, fields); !read)
    return std::move(read).error();
  if (!ever_due(fields))
    return Error{ErrorKind::config,
                 "cron: no month named here has such a day",
                 {.hint = "the schedule would never fall due; check day and month"}};
  return CronSchedule{fields};
}

}  // namespace millrace::timer
