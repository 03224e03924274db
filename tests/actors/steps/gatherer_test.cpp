#include "actors/steps/gatherer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const sdk::Instant start{1h};

TEST(GathererTest, GivesAGroupWhenItsCountIsReached) {
  Gatherer<int> gatherer{{.count = 3}};
  EXPECT_FALSE(gatherer.add("", 1, 10, start));
  EXPECT_FALSE(gatherer.add("", 2, 10, start));
  const auto group = gatherer.add("", 3, 10, start);
  ASSERT_TRUE(group);
  EXPECT_THAT(group->items, ElementsAre(1, 2, 3));
  EXPECT_TRUE(gatherer.empty());
}

TEST(GathererTest, GivesAGroupWhenItsBytesAreReached) {
  Gatherer<int> gatherer{{.bytes = 100}};
  EXPECT_FALSE(gatherer.add("", 1, 60, start));
  EXPECT_TRUE(gatherer.add("", 2, 60, start));
  EXPECT_TRUE(gatherer.add("", 3, 500, start));
}

TEST(GathererTest, KeepsKeysApart) {
  Gatherer<int> gatherer{{.count = 2}};
  EXPECT_FALSE(gatherer.add("a", 1, 0, start));
  EXPECT_FALSE(gatherer.add("b", 2, 0, start));
  const auto group = gatherer.add("a", 3, 0, start);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->key, "a");
  EXPECT_THAT(group->items, ElementsAre(1, 3));
}

TEST(GathererTest, CountsThePeriodFromTheFirstRecordOfAGroup) {
  Gatherer<int> gatherer{{.period = 1s}};
  EXPECT_FALSE(gatherer.next_due());
  gatherer.add("a", 1, 0, start);
  gatherer.add("b", 2, 0, start + 500ms);
  gatherer.add("a", 3, 0, start + 900ms);
  EXPECT_EQ(gatherer.next_due(), start + 1s);
  EXPECT_TRUE(gatherer.take_due(start + 999ms).empty());
  const auto due = gatherer.take_due(start + 1s);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_THAT(due[0].items, ElementsAre(1, 3));
  EXPECT_EQ(gatherer.next_due(), start + 1500ms);
}

TEST(GathererTest, GivesEverythingAtAFlush) {
  Gatherer<int> gatherer{{.count = 10}};
  gatherer.add("b", 1, 0, start);
  gatherer.add("a", 2, 0, start);
  EXPECT_EQ(gatherer.take_all().size(), 2U);
  EXPECT_TRUE(gatherer.take_all().empty());
}

TEST(GathererTest, LosesWhatBecameStaleAndTheGroupsThatThenAreEmpty) {
  Gatherer<int> gatherer{{.count = 10}};
  gatherer.add("a", 1, 0, start);
  gatherer.add("b", 2, 0, start);
  gatherer.remove_if([](int item) { return item == 1; });
  const auto rest = gatherer.take_all();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].key, "b");
}

}  // namespace
}  // namespace millrace::actors
