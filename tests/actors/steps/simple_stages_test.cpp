// filter, transform and fail.
#include "actors/steps/stage_fixture.hpp"
#include "actors/steps/stages.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using testing::ElementsAre;

class SimpleStagesTest : public StageFixture {
protected:
  dsl::Filter filter_;
  dsl::Transform transform_;
  dsl::Fail fail_;
};

TEST_F(SimpleStagesTest, FilterSettlesWhatItDrops) {
  filter_.when = slot_is_at_least(0, 10);
  start(make_filter_stage(filter_));
  process({5, 10, 7, 20});
  EXPECT_EQ(out(0), "[10,20]");
  EXPECT_EQ(outcome(0), "filtered");
  EXPECT_EQ(outcome(1), "open");
  EXPECT_EQ(outcome(2), "filtered");
}

TEST_F(SimpleStagesTest, FilterGivesTheTicketBackWhereNothingIsLeft) {
  filter_.when = slot_is_at_least(0, 10);
  start(make_filter_stage(filter_));
  const auto ticket = process({1});
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].ticket, ticket);
}

TEST_F(SimpleStagesTest, TransformFailsTheRecordsItCannotEvaluate) {
  step_.output = 1;
  transform_.set = {{"a", slot_value(0)}};
  start(make_transform_stage(step_, transform_));
  process({1, "broken", 3});
  EXPECT_THAT(failures(), ElementsAre("1 broken"));
  EXPECT_EQ(out(1), R"([{"a":1},null,{"a":3}])");
}

TEST_F(SimpleStagesTest, FailFailsEveryRecordWithItsMessage) {
  fail_.message = slot_value(0);
  start(make_fail_stage(fail_));
  process({"no", 7});
  EXPECT_THAT(failures(), ElementsAre("0 no", "1 7"));
}

}  // namespace
}  // namespace millrace::actors
