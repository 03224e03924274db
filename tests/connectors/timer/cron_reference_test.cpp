// CronSchedule against a slow reference that walks through the real minutes one by one.
#include "connectors/timer/cron.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace millrace::timer {
namespace {

using namespace std::chrono;  // NOLINT(google-build-using-namespace)

/// A schedule as plain sets, and its line.
struct Plan {
  std::set<int> minutes, hours, days, months, weekdays;
  bool any_minute, any_hour, any_day, any_month, any_weekday;

  std::string text() const {
    return field(minutes, any_minute) + " " + field(hours, any_hour) + " " + field(days, any_day)
           + " " + field(months, any_month) + " " + field(weekdays, any_weekday);
  }

  bool fits(local_seconds at) const {
    const auto day = floor<std::chrono::days>(at);
    const year_month_day date{day};
    const hh_mm_ss time{at - day};
    const auto in = [](const std::set<int>& set, bool any, auto number) {
      return any || set.contains(static_cast<int>(number));
    };
    const bool by_date = in(days, any_day, static_cast<unsigned>(date.day()));
    const bool by_weekday = in(weekdays, any_weekday, weekday{day}.c_encoding());
    const bool by_day = any_day || any_weekday ? by_date && by_weekday : by_date || by_weekday;
    return by_day && in(months, any_month, static_cast<unsigned>(date.month()))
           && in(hours, any_hour, time.hours().count())
           && in(minutes, any_minute, time.minutes().count());
  }

private:
  static std::string field(const std::set<int>& set, bool any) {
    std::string text;
    for (const int number : set)
      text += (text.empty() ? "" : ",") + std::to_string(number);
    return any ? "*" : text;
  }
};

/// The due minutes of a window: each real minute is looked at once. Fixed times that the clock
/// passed over fall due at its next minute; those it has shown before do not again.
std::vector<sys_seconds> walk(const Plan& plan, const TimeZone& zone, sys_seconds begin,
                              sys_seconds end) {
  std::vector<sys_seconds> due;
  const auto local = [&](sys_seconds at) {
    return local_seconds{at.time_since_epoch() + zone.stretch(at).offset};
  };
  local_seconds shown = local(begin - 1min);  // the latest that the clock has shown
  for (auto at = begin; at < end; at += 1min) {
    const auto now = local(at);
    bool fits = plan.fits(now);
    if (!plan.any_hour) {
      fits = fits && now > shown;
      for (auto skipped = shown + 1min; skipped < now; skipped += 1min)
        fits = fits || plan.fits(skipped);
    }
    if (fits)
      due.push_back(at);
    shown = std::max(shown, now);
  }
  return due;
}

class Planner {
public:
  explicit Planner(unsigned seed) : random_{seed} {}

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  std::set<int> some(int low, int high) {
    std::set<int> set;
    for (unsigned count = 1 + below(4); count > 0; --count)
      set.insert(low + static_cast<int>(below(static_cast<unsigned>(high - low + 1))));
    return set;
  }

  Plan plan() {
    return {some(0, 59),   some(0, 4),    some(1, 31),   some(1, 12),   some(0, 6),
            below(3) == 0, below(2) == 0, below(3) != 0, below(3) != 0, below(3) != 0};
  }

private:
  std::mt19937 random_;
};

struct Edge {
  const char* zone;
  sys_seconds change;
};

TEST(CronReferenceTest, AgreesWithAWalkThroughEveryMinuteAroundChangesOfTheClock) {
  const std::vector<Edge> edges{
    {"Europe/Rome", sys_days{2026y / 3 / 29} + 1h},
    {"Europe/Rome", sys_days{2026y / 10 / 25} + 1h},
    {"America/New_York", sys_days{2026y / 3 / 8} + 7h},
    {"America/New_York", sys_days{2026y / 11 / 1} + 6h},
    {"Australia/Lord_Howe", sys_days{2026y / 4 / 4} + 15h},  // half an hour
    {"Australia/Lord_Howe", sys_days{2026y / 10 / 3} + 15h + 30min},
    {"America/St_Johns", sys_days{2026y / 3 / 8} + 5h + 30min},
    {"America/Sao_Paulo", sys_days{2018y / 11 / 4} + 3h},  // midnight did not exist
    {"Africa/Cairo", sys_days{2023y / 4 / 27} + 22h},
    {"Asia/Kathmandu", sys_days{2026y / 1 / 1}},
    {"Pacific/Apia", sys_days{2011y / 12 / 30} + 10h},  // a day did not exist
    {"UTC", sys_days{2026y / 2 / 28}}};
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Planner planner{seed};
  std::size_t compared = 0;
  for (int round = 0; round < 600; ++round) {
    const auto& edge = edges[planner.below(static_cast<unsigned>(edges.size()))];
    const auto plan = planner.plan();
    const auto schedule = CronSchedule::parse(plan.text());
    if (!schedule)
      continue;  // 30 February
    const auto zone = *TimeZone::find(edge.zone);
    const auto begin = edge.change - hours{1 + planner.below(60)} - minutes{planner.below(60)};
    const auto end = begin + hours{72};
    const auto expected = walk(plan, zone, begin, end);
    std::vector<sys_seconds> found;
    for (auto at = schedule->next(begin - 1s, zone); at && *at < end;
         at = schedule->next(*at, zone))
      found.push_back(floor<seconds>(*at));
    ASSERT_EQ(found, expected) << plan.text() << " in " << edge.zone << " from "
                               << begin.time_since_epoch().count();
    compared += expected.size();
  }
  EXPECT_GT(compared, 1000u);
}

}  // namespace
}  // namespace millrace::timer
