#include "connectors/timer/cron.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace millrace::timer {
namespace {

using namespace std::chrono;  // NOLINT(google-build-using-namespace)

std::string problem_of(std::string_view text) {
  const auto schedule = CronSchedule::parse(text);
  return schedule ? "" : schedule.error().to_string();
}

std::string format(sys_seconds at) {
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

/// The next `count` times in UTC after `after`.
std::vector<std::string> due(std::string_view text, sys_seconds after, std::size_t count,
                             std::string_view zone = "UTC") {
  std::vector<std::string> out;
  const auto schedule = CronSchedule::parse(text);
  const auto where = TimeZone::find(zone);
  if (!schedule || !where) {
    ADD_FAILURE() << problem_of(text);
    return out;
  }
  sdk::WallTime at = after;
  while (out.size() < count) {
    const auto next = schedule->next(at, *where);
    if (!next)
      break;
    at = *next;
    out.push_back(format(floor<seconds>(at)));
  }
  return out;
}

using Times = std::vector<std::string>;
constexpr sys_seconds new_year = sys_days{2026y / 1 / 1};  // a Thursday

TEST(CronTest, FallsDueByMinuteHourAndDay) {
  EXPECT_EQ(due("0 3 * * *", new_year, 2), (Times{"2026-01-01 03:00:00", "2026-01-02 03:00:00"}));
  EXPECT_EQ(due("*/20 4-5 1 * *", new_year, 7),
            (Times{"2026-01-01 04:00:00", "2026-01-01 04:20:00", "2026-01-01 04:40:00",
                   "2026-01-01 05:00:00", "2026-01-01 05:20:00", "2026-01-01 05:40:00",
                   "2026-02-01 04:00:00"}));
  EXPECT_EQ(due("5/25 0 * * *", new_year, 2),
            (Times{"2026-01-01 00:05:00", "2026-01-01 00:30:00"}));
  EXPECT_EQ(due("0 0 1,15 jan,DEC *", new_year, 3),
            (Times{"2026-01-15 00:00:00", "2026-12-01 00:00:00", "2026-12-15 00:00:00"}));
}

TEST(CronTest, TakesSecondsInFront) {
  EXPECT_EQ(due("*/30 * * * * *", new_year, 3),
            (Times{"2026-01-01 00:00:30", "2026-01-01 00:01:00", "2026-01-01 00:01:30"}));
  EXPECT_EQ(due("59 59 23 31 12 *", new_year, 1), Times{"2026-12-31 23:59:59"});
}

TEST(CronTest, GivesTimesAfterAndNeverAt) {
  const auto schedule = *CronSchedule::parse("0 0 * * *");
  EXPECT_EQ(schedule.next(new_year, TimeZone::utc()), sys_seconds{new_year + 24h});
  EXPECT_EQ(schedule.next(sdk::WallTime{new_year} - 1ns, TimeZone::utc()), new_year);
}

TEST(CronTest, CountsWeekdaysFromSundayTwice) {
  EXPECT_EQ(due("0 0 * * 0", new_year, 1), Times{"2026-01-04 00:00:00"});
  EXPECT_EQ(due("0 0 * * 7", new_year, 1), Times{"2026-01-04 00:00:00"});
  EXPECT_EQ(due("0 0 * * FRI-SUN", new_year, 4),
            (Times{"2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00",
                   "2026-01-09 00:00:00"}));
}

TEST(CronTest, TakesEitherDayFieldWhereBothAreRestricted) {
  EXPECT_EQ(due("0 0 13 * FRI", new_year, 4),
            (Times{"2026-01-02 00:00:00", "2026-01-09 00:00:00", "2026-01-13 00:00:00",
                   "2026-01-16 00:00:00"}));
  EXPECT_EQ(due("0 0 */13 * FRI", new_year, 2),
            (Times{"2026-02-27 00:00:00", "2026-03-27 00:00:00"}));
  EXPECT_EQ(due("0 0 ? * MON", new_year, 1), Times{"2026-01-05 00:00:00"});
}

TEST(CronTest, KnowsLastDaysAndNthWeekdays) {
  EXPECT_EQ(due("0 0 L * *", new_year, 2), (Times{"2026-01-31 00:00:00", "2026-02-28 00:00:00"}));
  EXPECT_EQ(due("0 0 * * FRI#2", new_year, 2),
            (Times{"2026-01-09 00:00:00", "2026-02-13 00:00:00"}));
  EXPECT_EQ(due("0 0 * * 5L", new_year, 2), (Times{"2026-01-30 00:00:00", "2026-02-27 00:00:00"}));
  EXPECT_EQ(due("0 0 * * THU#5", new_year, 2),
            (Times{"2026-01-29 00:00:00", "2026-04-30 00:00:00"}));
}

TEST(CronTest, WaitsForLeapDays) {
  EXPECT_EQ(due("0 0 29 2 *", new_year, 2), (Times{"2028-02-29 00:00:00", "2032-02-29 00:00:00"}));
  EXPECT_EQ(due("0 0 29 2 *", sys_days{2096y / 3 / 1}, 1), Times{"2104-02-29 00:00:00"});
}

TEST(CronTest, KnowsTheMacros) {
  EXPECT_EQ(due("@hourly", new_year, 1), Times{"2026-01-01 01:00:00"});
  EXPECT_EQ(due("@daily", new_year, 1), Times{"2026-01-02 00:00:00"});
  EXPECT_EQ(due("@weekly", new_year, 1), Times{"2026-01-04 00:00:00"});
  EXPECT_EQ(due("@monthly", new_year, 1), Times{"2026-02-01 00:00:00"});
  EXPECT_EQ(due("@yearly", new_year, 1), Times{"2027-01-01 00:00:00"});
}

TEST(CronTest, EndsWhereTheClockEnds) {
  EXPECT_TRUE(due("0 0 1 1 *", sys_days{2261y / 1 / 2}, 1).empty());
}

// Rome: 2026-03-29 02:00 -> 03:00 (01:00 UTC), 2026-10-25 03:00 -> 02:00 (01:00 UTC).
TEST(CronTest, RunsATimeThatDaylightSavingTakesBehindTheGap) {
  EXPECT_EQ(due("30 2 * * *", sys_days{2026y / 3 / 28}, 3, "Europe/Rome"),
            (Times{"2026-03-28 01:30:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"}));
  EXPECT_EQ(due("*/15 2 * * *", sys_days{2026y / 3 / 29}, 2, "Europe/Rome"),
            (Times{"2026-03-29 01:00:00", "2026-03-30 00:00:00"}));
  EXPECT_EQ(due("0 2,3 * * *", sys_days{2026y / 3 / 29}, 2, "Europe/Rome"),
            (Times{"2026-03-29 01:00:00", "2026-03-30 00:00:00"}));
}

TEST(CronTest, RunsATimeThatComesTwiceOnce) {
  EXPECT_EQ(due("30 2 * * *", sys_days{2026y / 10 / 24}, 3, "Europe/Rome"),
            (Times{"2026-10-24 00:30:00", "2026-10-25 00:30:00", "2026-10-26 01:30:00"}));
  // Asked between the two: it has run.
  EXPECT_EQ(due("30 2 * * *", sys_days{2026y / 10 / 25} + 45min, 1, "Europe/Rome"),
            Times{"2026-10-26 01:30:00"});
}

TEST(CronTest, RunsEveryRealHourWhereTheHourIsAStar) {
  EXPECT_EQ(due("30 * * * *", sys_days{2026y / 10 / 25}, 4, "Europe/Rome"),
            (Times{"2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00",
                   "2026-10-25 03:30:00"}));
  EXPECT_EQ(due("0 * * * *", sys_days{2026y / 3 / 29}, 3, "Europe/Rome"),
            (Times{"2026-03-29 01:00:00", "2026-03-29 02:00:00", "2026-03-29 03:00:00"}));
}

TEST(CronTest, FollowsZonesThatSkipAWholeDay) {
  // Samoa went from 29 to 31 December 2011.
  EXPECT_EQ(due("0 12 30 12 *", sys_days{2011y / 12 / 1}, 1, "Pacific/Apia"),
            Times{"2011-12-30 10:00:00"});
}

TEST(CronTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(
    problem_of("* * *"),
    "config: cron: 3 fields, but a schedule has 5 or 6; [second] minute hour day-of-month month "
    "day-of-week, such as 0 3 * * *");
  EXPECT_EQ(problem_of("0 24 * * *"), "config: cron: hour at column 3: 24 is not from 0 to 23");
  EXPECT_EQ(
    problem_of("0 3 * * MOM"),
    "config: cron: day of week at column 9: 'MOM' is no number from 0 to 7; did you mean 'MON'?");
  EXPECT_EQ(problem_of("1,,2 3 * * *"),
            "config: cron: minute at column 3: nothing stands here; a list has no empty parts");
  EXPECT_EQ(
    problem_of("0 22-2 * * *"),
    "config: cron: hour at column 3: the range '22-2' runs backwards; write it as two ranges, such "
    "as 22-23,0-2");
  EXPECT_EQ(problem_of("*/0 * * * *"),
            "config: cron: minute at column 3: a step is a number from 1 to 59");
  EXPECT_EQ(
    problem_of("0 0 15W * *"),
    "config: cron: day of month at column 5: '15W' is no number from 1 to 31; the nearest weekday "
    "(W) is not supported");
  EXPECT_EQ(problem_of("@reboot"),
            "config: cron: there is no '@reboot'; there are @yearly @monthly @weekly "
            "@daily @midnight @hourly");
  EXPECT_NE(problem_of("@dayly").find("did you mean '@daily'?"), std::string::npos);
  EXPECT_NE(problem_of("0 0 * * FRI#6").find("#1 to #5"), std::string::npos);
  EXPECT_NE(problem_of("-5 * * * *").find("minute at column 1"), std::string::npos);
  EXPECT_NE(problem_of("99999999999 * * * *").find("minute at column 1"), std::string::npos);
  EXPECT_NE(problem_of("0 0\n* * *").find("line break"), std::string::npos);
  EXPECT_NE(problem_of("").find("0 fields"), std::string::npos);
}

TEST(CronTest, RefusesDaysThatNeverCome) {
  EXPECT_EQ(problem_of("0 0 30 2 *"), "config: cron: no month named here has such a day; the "
                                      "schedule would never fall due; check day "
                                      "and month");
  EXPECT_NE(problem_of("0 0 31 4,6,9,11 *"), "");
  EXPECT_EQ(problem_of("0 0 30 2 MON"), "");
  EXPECT_EQ(problem_of("0 0 29 2 *"), "");
}

TEST(CronTest, NamesANearZone) {
  EXPECT_EQ(TimeZone::find("Europe/Roma").error().to_string(),
            "config: there is no time zone 'Europe/Roma'; did you mean 'Europe/Rome'?");
  EXPECT_FALSE(TimeZone::find(""));
  EXPECT_FALSE(TimeZone::find("../../etc/passwd"));
}

}  // namespace
}  // namespace millrace::timer
