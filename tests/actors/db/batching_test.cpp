// What is sent next from what waits, without I/O.
#include "actors/db/batching.hpp"

#include <gtest/gtest.h>

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;

class BatchingTest : public testing::Test {
protected:
  static StatementPlan plan_of(std::string_view sql, sdk::Inspection found = typed()) {
    StatementPlan plan{sql, true};
    plan.inspected(std::move(found), start);
    return plan;
  }

  static sdk::Inspection typed() {
    sdk::Inspection found;
    found.parameters = {{.type = 23, .name = "integer"}};
    return found;
  }

  Choice choose(const StatementPlan& plan, std::size_t waiting, std::uint32_t limit = 0,
                std::uint32_t slots = 1) const {
    return batching_.choose(plan, options_, waiting, slots, limit, start);
  }

  void learn(StatementPlan& plan, Way way, std::chrono::nanoseconds each) const {
    for (int i = 0; i < 8; ++i)
      batching_.succeeded(plan, way, 32, each * 32, 0, start);
  }

  static constexpr sdk::Instant start{1000s};
  static constexpr auto find = "SELECT a FROM t WHERE id = $1";
  Batching batching_{true, 64};
  sdk::StatementOptions options_;
};

TEST_F(BatchingTest, RunsEachOnItsOwnUntilTheCatalogWasAsked) {
  const StatementPlan plan{find, true};
  EXPECT_EQ(plan.place(start), Place::unknown);
  EXPECT_EQ(choose(plan, 100).way, Way::each);
}

TEST_F(BatchingTest, SendsOneThatIsAloneAtOnce) {
  const auto choice = choose(plan_of(find), 1);
  EXPECT_EQ(choice.way, Way::each);
  EXPECT_EQ(choice.size, 1U);
}

TEST_F(BatchingTest, LearnsTheCostOfSyncEachBeforeItUsesTheSetForm) {
  auto plan = plan_of(find);
  EXPECT_EQ(choose(plan, 100).way, Way::each);
  EXPECT_TRUE(choose(plan, 100).alike);
  learn(plan, Way::each, 20us);
  EXPECT_EQ(choose(plan, 100).way, Way::set);
}

TEST_F(BatchingTest, DropsTheSetFormForAnHourWhereItDoesNotWin) {
  auto plan = plan_of(find);
  learn(plan, Way::each, 20us);
  learn(plan, Way::set, 30us);
  EXPECT_EQ(choose(plan, 100).way, Way::shared);
  EXPECT_NE(plan.why_not(Way::set, start), "");
  EXPECT_EQ(plan.why_not(Way::set, start + 61min), "");
}

TEST_F(BatchingTest, SharesASyncWhereThereIsNoSetForm) {
  const auto plan = plan_of("UPDATE t SET a = 1 WHERE id = $1");
  const auto choice = choose(plan, 100);
  EXPECT_EQ(choice.way, Way::shared);
  EXPECT_FALSE(choice.alike);
}

TEST_F(BatchingTest, JoinsNothingThatTheCatalogRefuses) {
  auto refused = typed();
  refused.lane_refusal = "it calls f, which is volatile";
  const auto plan = plan_of(find, refused);
  EXPECT_EQ(plan.place(start), Place::exclusive);
  EXPECT_EQ(choose(plan, 100).way, Way::each);
  EXPECT_EQ(plan.why_not(Way::shared, start), "it calls f, which is volatile");
}

TEST_F(BatchingTest, TakesNoNoticeOfTriggersForAStatementThatReads) {
  auto found = typed();
  found.write_refusal = "t has a trigger";
  found.insert_refusal = "t refers to itself";
  EXPECT_EQ(plan_of(find, found).place(start), Place::reads);
  EXPECT_EQ(plan_of(find, found).why_not(Way::set, start), "");
  EXPECT_EQ(plan_of("INSERT INTO t VALUES ($1)", found).place(start), Place::exclusive);
}

TEST_F(BatchingTest, GivesNoSetFormToWhatDiffersEachTime) {
  auto found = typed();
  found.calls_volatile = true;
  const auto plan = plan_of("SELECT random() AS r, a FROM t WHERE id = $1", found);
  EXPECT_EQ(plan.place(start), Place::writes);
  EXPECT_FALSE(plan.is_pure());
  EXPECT_EQ(choose(plan, 100).way, Way::shared);
}

TEST_F(BatchingTest, RespectsTheOptionsToBatchNothing) {
  const auto plan = plan_of(find);
  options_.batching = false;
  EXPECT_EQ(choose(plan, 100).way, Way::each);
  const Batching off{false, 64};
  EXPECT_EQ(off.choose(plan, {}, 100, 1, 0, start).way, Way::each);
}

TEST_F(BatchingTest, GrowsItsGroupsByStepsAndHalvesThemOnAnError) {
  auto plan = plan_of(find);
  learn(plan, Way::each, 20us);
  EXPECT_EQ(choose(plan, 1000).size, 32U);
  learn(plan, Way::set, 2us);
  EXPECT_EQ(choose(plan, 1000).size, Batching::most_members);
  batching_.failed(plan, Way::set, {sdk::ErrorKind::execution, "no"}, false, start);
  EXPECT_EQ(choose(plan, 1000).size, Batching::most_members / 2);
}

TEST_F(BatchingTest, PausesWhereMostGroupsFail) {
  auto plan = plan_of(find);
  learn(plan, Way::each, 20us);
  for (int i = 0; i < 5; ++i)
    batching_.failed(plan, Way::set, {sdk::ErrorKind::execution, "no"}, false, start);
  EXPECT_EQ(choose(plan, 1000).way, Way::each);
  EXPECT_EQ(batching_.choose(plan, options_, 1000, 1, 0, start + 11s).way, Way::set);
}

TEST_F(BatchingTest, RemembersWhatTheServerDoesNotTakeInSetForm) {
  auto plan = plan_of("SELECT a FROM t LIMIT $1");
  learn(plan, Way::each, 20us);
  EXPECT_EQ(choose(plan, 100).way, Way::set);
  batching_.failed(plan, Way::set, {sdk::ErrorKind::execution, "no", {.code = "42P10"}}, true,
                   start);
  EXPECT_EQ(choose(plan, 100).way, Way::shared);
  EXPECT_NE(plan.why_not(Way::set, start).find("42P10"), std::string::npos);
}

TEST_F(BatchingTest, KeepsAGroupsTimeUnderAQuarterOfTheShortestDeadline) {
  auto plan = plan_of(find);
  learn(plan, Way::each, 10ms);
  learn(plan, Way::set, 5ms);
  EXPECT_EQ(choose(plan, 1000).size, 12U) << "of 250 ms";
  options_.timeout = 100ms;
  EXPECT_EQ(choose(plan, 1000).size, 5U);
}

TEST_F(BatchingTest, LeavesSomeForTheNextGroup) {
  auto plan = plan_of(find);
  learn(plan, Way::each, 20us);
  learn(plan, Way::set, 2us);
  EXPECT_EQ(choose(plan, 64, 0, 2).size, 32U);
  EXPECT_EQ(choose(plan, 8, 0, 2).size, 8U);
}

TEST_F(BatchingTest, BisectsAGroupThatFailed) {
  auto plan = plan_of(find);
  learn(plan, Way::each, 20us);
  learn(plan, Way::set, 2us);
  EXPECT_EQ(Batching::limit_after(256), 128U);
  EXPECT_EQ(Batching::limit_after(16), 1U);
  EXPECT_EQ(choose(plan, 1000, 128).size, 128U);
  EXPECT_EQ(choose(plan, 1000, 1).way, Way::each);
  EXPECT_EQ(choose(plan, 1000, 1).size, 1U);
}

TEST_F(BatchingTest, LetsAStatementWithALargeResultGoAloneNextTime) {
  auto plan = plan_of(find);
  batching_.succeeded(plan, Way::shared, 2, 1ms, 1 << 20, start);
  EXPECT_EQ(plan.place(start), Place::exclusive);
}

TEST_F(BatchingTest, AsksTheCatalogAgainEachMinute) {
  const auto plan = plan_of(find);
  EXPECT_FALSE(plan.wants_inspection(start + 59s));
  EXPECT_TRUE(plan.wants_inspection(start + 60s));
}

TEST(StatementPlansTest, KeepsOnePlanPerText) {
  StatementPlans plans{true};
  const auto plan = plans.find("SELECT 1");
  EXPECT_NE(plans.find("SELECT 2"), plan);
  EXPECT_EQ(plans.find("SELECT 1"), plan);
}

}  // namespace
}  // namespace millrace::actors::db
