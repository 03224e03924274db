#include "connectors/generate/pacer.hpp"
#include "support/fake_events.hpp"
#include "support/fake_step.hpp"
#include "support/make_connector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace millrace::generate {
extern const sdk::Connector generate_connector;
extern const sdk::Connector drop_connector;

namespace {

using namespace std::chrono_literals;
using test::mapping;
using test::Options;
using test::scalar;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

sdk::SourcePtr make(Options options) {
  sdk::Diagnostics diagnostics;
  auto factory = test::source_factory(generate_connector, "", std::move(options), diagnostics);
  EXPECT_TRUE(factory) << diagnostics.to_string();
  return factory();
}

TEST(GenerateTest, MakesNumberedRecords) {
  test::FakeEvents events;
  const auto source = make({{"count", scalar("3")}});
  ASSERT_TRUE(source->start(events.context()));
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.payloads(), ElementsAre(R"({"n":0})", R"({"n":1})", R"({"n":2})"));
}

TEST(GenerateTest, SetsMembersFromExpressionsOverTheNumber) {
  test::FakeEvents events;
  const auto source = make(
    {{"count", scalar("2")}, {"set", mapping({{"id", scalar("$.n")}, {"kind", scalar("trial")}})}});
  ASSERT_TRUE(source->start(events.context()));
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.payloads(),
              ElementsAre(R"({"id":0,"kind":"trial"})", R"({"id":1,"kind":"trial"})"));
}

TEST(GenerateTest, FailsARecordWhoseExpressionFails) {
  test::FakeEvents events;
  const auto source = make({{"count", scalar("2")}, {"set", mapping({{"id", scalar("$.none")}})}});
  ASSERT_TRUE(source->start(events.context()));
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr("none"), HasSubstr("none")));
}

TEST(GenerateTest, WaitsForCreditAndStopsSoon) {
  test::FakeEvents events;
  events.set_credit(1'000);
  const auto source = make({});
  ASSERT_TRUE(source->start(events.context(false)));
  ASSERT_TRUE(events.wait_until_out_of_credit());
  EXPECT_EQ(events.records(), 1'024U);
  events.stop();
  source->stop();
  EXPECT_TRUE(events.wait_for_end());
}

TEST(GenerateTest, StopsSoonWhileItWaitsForItsRate) {
  test::FakeEvents events;
  const auto source = make({{"rate", scalar("1/h")}});
  ASSERT_TRUE(source->start(events.context(false)));
  ASSERT_TRUE(events.wait_for_records(1));
  source->stop();
  EXPECT_TRUE(events.wait_for_end());
  EXPECT_EQ(events.records(), 1U);
}

TEST(GenerateTest, RefusesToRunOnceWithoutACount) {
  test::FakeEvents events;
  const auto started = make({})->start(events.context(true));
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), HasSubstr("without 'count'"));
}

TEST(PacerTest, GivesTheFirstEventAtOnceAndTheOthersInStep) {
  const sdk::Instant start{};
  Pacer pacer{10, start};
  EXPECT_EQ(pacer.due(start), 1U);
  pacer.take(1);
  EXPECT_EQ(pacer.next(), start + 100ms);
  EXPECT_EQ(pacer.due(start + 99ms), 0U);
  EXPECT_EQ(pacer.due(start + 350ms), 3U);
}

TEST(PacerTest, DoesNotMakeUpForALongPause) {
  const sdk::Instant start{};
  Pacer pacer{10, start};
  EXPECT_EQ(pacer.due(start + 1h), 10U);
  pacer.take(10);
  EXPECT_EQ(pacer.due(start + 1h), 0U);
  EXPECT_EQ(pacer.due(start + 1h + 100ms), 1U);
}

TEST(DropTest, GivesEveryBatchBack) {
  sdk::Diagnostics diagnostics;
  const auto factory = test::step_factory(drop_connector, "", {}, diagnostics);
  test::StepDriver step{factory()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({"1", "2"}).empty());
  EXPECT_TRUE(step.finish());
}

}  // namespace
}  // namespace millrace::generate
