#include "connectors/timer/source.hpp"
#include "connectors/timer/ticks.hpp"
#include "support/fake_events.hpp"
#include "support/make_connector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace millrace::timer {
extern const sdk::Connector connector;

namespace {

using namespace std::chrono_literals;
using test::Options;
using test::scalar;
using ::testing::HasSubstr;

constexpr sdk::WallTime noon{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14} + 12h};

class StillClock final : public sdk::Clock {
public:
  sdk::Instant now() const noexcept override { return sdk::Instant{}; }

  sdk::WallTime wall() const noexcept override { return noon + 7ms; }
};

sdk::SourceFactory factory(Options options, sdk::Diagnostics& diagnostics) {
  return test::source_factory(connector, "", std::move(options), diagnostics);
}

sdk::SourcePtr make(Options options) {
  sdk::Diagnostics diagnostics;
  auto made = factory(std::move(options), diagnostics);
  EXPECT_TRUE(made) << diagnostics.to_string();
  return made();
}

TEST(TicksTest, BeginsAtOnceAndKeepsInStep) {
  const sdk::Instant start{};
  Ticks ticks{{.every = 10s}, start, noon};
  EXPECT_EQ(ticks.due_in(start, noon), 0ns);
  EXPECT_EQ(ticks.take(start, noon).scheduled, noon);
  EXPECT_EQ(ticks.due_in(start + 1s, noon + 1s), 9s);
  const Tick late = ticks.take(start + 12s, noon + 12s);
  EXPECT_EQ(late.scheduled, noon + 10s);
  EXPECT_EQ(late.number, 2U);
  EXPECT_EQ(late.missed, 0U);
  EXPECT_EQ(ticks.due_in(start + 12s, noon + 12s), 8s);
}

TEST(TicksTest, DoesNotMakeUpForMissedTicksButCountsThem) {
  const sdk::Instant start{};
  Ticks ticks{{.every = 10s}, start, noon};
  ticks.take(start, noon);
  const Tick tick = ticks.take(start + 35s, noon + 35s);
  EXPECT_EQ(tick.scheduled, noon + 30s);
  EXPECT_EQ(tick.missed, 2U);
  EXPECT_EQ(ticks.due_in(start + 35s, noon + 35s), 5s);
}

TEST(TicksTest, FollowsCronInItsZone) {
  const TimerConfig config{.cron = *CronSchedule::parse("0 3 * * *"),
                           .zone = *TimeZone::find("Europe/Rome")};
  const sdk::Instant start{};
  Ticks ticks{config, start, noon};
  EXPECT_EQ(ticks.due_in(start, noon), 14h);  // 3 o'clock in Rome is 2 o'clock UTC in March
  const Tick tick = ticks.take(start, noon + 14h);
  EXPECT_EQ(tick.scheduled, noon + 14h);
  EXPECT_EQ(ticks.due_in(start, noon + 14h), 24h);
}

TEST(TicksTest, TakesTheLatestCronTimeAfterALongSleep) {
  const TimerConfig config{.cron = *CronSchedule::parse("* * * * *")};
  Ticks ticks{config, {}, noon};
  const Tick tick = ticks.take({}, noon + 5min + 30s);
  EXPECT_EQ(tick.scheduled, noon + 5min);
  EXPECT_EQ(tick.missed, 4U);
  ticks.take({}, noon + 24h * 365);
  EXPECT_EQ(ticks.due_in({}, noon + 24h * 365), 1min);
}

TEST(TimerTest, TicksOnceAndAtOnceWhenItRunsOnce) {
  for (const char* option : {"every", "cron"}) {
    test::FakeEvents events;
    const StillClock clock;
    const auto source = make(
      {{option, scalar(std::string_view{option} == "every" ? "1h" : "0 3 * * *")}});
    auto context = events.context(true);
    context.clock = &clock;
    ASSERT_TRUE(source->start(context));
    ASSERT_TRUE(events.wait_for_end());
    ASSERT_EQ(events.records(), 1U);
    EXPECT_EQ(
      events.payloads().front(),
      R"({"time":"2026-03-14T12:00:00.007Z","scheduled":"2026-03-14T12:00:00.007Z","tick":1,"missed":0})");
  }
}

TEST(TimerTest, MakesEachTickALaneOfItsOwnAndStopsSoon) {
  test::FakeEvents events;
  const auto source = make({{"every", scalar("1ms")}});
  ASSERT_TRUE(source->start(events.context(false)));
  ASSERT_TRUE(events.wait_for_records(5));
  source->stop();
  ASSERT_TRUE(events.wait_for_end());
  std::set<std::uint64_t> lanes;
  for (const sdk::Intake& intake : events.intakes())
    lanes.insert(intake.lane->id());
  EXPECT_EQ(lanes.size(), events.records());
}

TEST(TimerTest, StopsSoonWhileTheNextTickIsFarAway) {
  test::FakeEvents events;
  const auto source = make({{"every", scalar("1h")}});
  ASSERT_TRUE(source->start(events.context(false)));
  ASSERT_TRUE(events.wait_for_records(1));
  source->stop();
  EXPECT_TRUE(events.wait_for_end());
}

TEST(TimerTest, WaitsForCredit) {
  test::FakeEvents events;
  events.set_credit(2);
  const auto source = make({{"every", scalar("1ms")}});
  ASSERT_TRUE(source->start(events.context(false)));
  ASSERT_TRUE(events.wait_until_out_of_credit());
  EXPECT_EQ(events.records(), 2U);
  events.stop();
  source->stop();
  EXPECT_TRUE(events.wait_for_end());
  EXPECT_EQ(events.records(), 2U);
}

TEST(TimerTest, ReportsMistakesInItsOptions) {
  sdk::Diagnostics diagnostics;
  EXPECT_FALSE(factory({}, diagnostics));
  EXPECT_FALSE(factory({{"every", scalar("1s")}, {"cron", scalar("* * * * *")}}, diagnostics));
  EXPECT_FALSE(factory({{"cron", scalar("61 * * * *")}}, diagnostics));
  EXPECT_FALSE(
    factory({{"cron", scalar("0 3 * * *")}, {"timeZone", scalar("Europe/Roma")}}, diagnostics));
  EXPECT_FALSE(factory({{"every", scalar("0ms")}}, diagnostics));
  EXPECT_FALSE(factory({{"every", scalar("1s")}, {"timeZone", scalar("UTC")}}, diagnostics));
  const std::string text = diagnostics.to_string();
  EXPECT_THAT(text, HasSubstr("needs 'every' or 'cron', and not both"));
  EXPECT_THAT(text, HasSubstr("Europe/Roma"));
  EXPECT_THAT(text, HasSubstr("'every' must be 1ms or more"));
  EXPECT_EQ(diagnostics.error_count(), 6U) << text;
}

}  // namespace
}  // namespace millrace::timer
