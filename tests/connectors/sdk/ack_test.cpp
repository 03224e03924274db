#include "connectors/sdk/ack.hpp"

#include <gtest/gtest.h>

namespace millrace::sdk {
namespace {

class Listener final : public SettleListener {
public:
  void on_settled(const std::shared_ptr<Receipt>& receipt) noexcept override {
    ++calls;
    lost = receipt->lost();
    for (auto& settled : receipt->take_settled())
      heard.push_back(std::move(settled));
  }

  int calls = 0;
  bool lost = false;
  std::vector<Settled> heard;
};

class AckTest : public testing::Test {
protected:
  Ack acknowledge(std::uint32_t count, Receipt::Report report = Receipt::Report::each) {
    receipt = Receipt::make(lane, lane->attempt(), 100, count, report, listener);
    return receipt->acknowledgement();
  }

  LanePtr lane = std::make_shared<Lane>("lane");
  std::shared_ptr<Listener> listener = std::make_shared<Listener>();
  std::shared_ptr<Receipt> receipt;
};

TEST_F(AckTest, SettlesAWholeReceiptAtOnce) {
  auto ack = acknowledge(512);
  std::move(ack).settle(Outcome::delivered);
  ASSERT_EQ(listener->heard.size(), 1u);
  EXPECT_EQ(listener->heard[0].first, 0u);
  EXPECT_EQ(listener->heard[0].count, 512u);
  EXPECT_TRUE(receipt->complete());
  EXPECT_EQ(lane->attempt(), 0u);
}

TEST_F(AckTest, IsLostWhenItIsDestroyedAndHasRaisedTheAttemptByThen) {
  { auto ack = acknowledge(3); }
  EXPECT_EQ(lane->attempt(), 1u);
  EXPECT_TRUE(listener->lost);
  EXPECT_EQ(listener->heard.at(0).outcome, Outcome::lost);
}

TEST_F(AckTest, RaisesTheAttemptOnceForManyLosses) {
  auto ack = acknowledge(3);
  ack.split(1);
  ack.split(1);
  EXPECT_EQ(lane->attempt(), 1u);
}

TEST_F(AckTest, OfAnOlderAttemptDoesNotRaiseTheNextOne) {
  auto old = acknowledge(2);
  lane->raise_attempt(0);
  old = {};
  EXPECT_EQ(lane->attempt(), 1u);
}

TEST_F(AckTest, WaitsForAllLeavesAndTellsTheWorst) {
  auto ack = acknowledge(1);
  auto second = ack.fork();
  auto third = ack.fork();
  std::move(second).settle(Outcome::skipped);
  std::move(ack).settle(Outcome::delivered);
  EXPECT_TRUE(listener->heard.empty());
  std::move(third).settle(Outcome::filtered);
  ASSERT_EQ(listener->heard.size(), 1u);
  EXPECT_EQ(listener->heard[0].outcome, Outcome::skipped);
}

TEST_F(AckTest, TellsOfALostLeafBeforeTheOthersHaveSettled) {
  auto ack = acknowledge(1);
  { auto leaf = ack.fork(); }
  EXPECT_TRUE(listener->lost);
  EXPECT_TRUE(listener->heard.empty());
  std::move(ack).settle(Outcome::delivered);
  EXPECT_EQ(listener->heard.at(0).outcome, Outcome::lost);
}

TEST_F(AckTest, CarriesTheAnswerAndTheReason) {
  auto ack = acknowledge(2);
  ack.split(1).settle(Outcome::delivered, Value{"done"});
  std::move(ack).fail(std::make_shared<FailureNote>(
    FailureNote{Error{ErrorKind::data, "no number"}, "score", false}));
  ASSERT_EQ(listener->heard.size(), 2u);
  EXPECT_EQ(listener->heard[0].answer.as_string(), "done");
  EXPECT_EQ(listener->heard[1].outcome, Outcome::failed);
  EXPECT_EQ(listener->heard[1].failure->step, "score");
}

TEST_F(AckTest, ReportsInLumpsOfAQuarter) {
  auto ack = acknowledge(100, Receipt::Report::in_lumps);
  for (int i = 0; i < 24; ++i)
    ack.split(1).settle(Outcome::delivered);
  EXPECT_EQ(listener->calls, 0);
  ack.split(1).settle(Outcome::delivered);
  EXPECT_EQ(listener->calls, 1);
  ASSERT_EQ(listener->heard.size(), 1u);
  EXPECT_EQ(listener->heard[0].count, 25u);
  std::move(ack).settle(Outcome::delivered);
  EXPECT_EQ(listener->calls, 2);
}

TEST_F(AckTest, JoinsItsNeighbourOnly) {
  auto ack = acknowledge(3);
  auto first = ack.split(1);
  auto second = ack.split(1);
  EXPECT_FALSE(first.append(ack));
  EXPECT_TRUE(first.append(second));
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(first.count(), 2u);
  std::move(first).settle(Outcome::delivered);
  std::move(ack).settle(Outcome::delivered);
}

TEST_F(AckTest, OwesNothingOnceReleased) {
  auto ack = acknowledge(2);
  std::move(ack).release();
  EXPECT_TRUE(listener->heard.empty());
  EXPECT_EQ(lane->attempt(), 0u);
}

TEST_F(AckTest, OutlivesItsListener) {
  auto ack = acknowledge(2);
  listener.reset();
  std::move(ack).settle(Outcome::delivered);
  EXPECT_TRUE(receipt->complete());
}

}  // namespace
}  // namespace millrace::sdk
