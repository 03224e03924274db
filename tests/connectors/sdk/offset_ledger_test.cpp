#include "connectors/sdk/offset_ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

namespace millrace::sdk {
namespace {

OffsetLedger ledger_at(std::int64_t next) {
  return OffsetLedger{{"g", "t", 0}, {.epoch = 3, .next = next}};
}

TEST(OffsetLedgerTest, KnowsWhereItStandsAndNeverGoesBack) {
  auto ledger = ledger_at(-1);
  EXPECT_EQ(ledger.next(), -1);
  ledger.advance(10);
  ledger.advance(7);
  EXPECT_EQ(ledger.next(), 10);
  EXPECT_EQ(ledger.epoch(), 3);
  EXPECT_FALSE(ledger.fenced());
  ledger.fence();
  EXPECT_TRUE(ledger.fenced());
}

TEST(OffsetLedgerTest, TellsGapsInWhatHasEnded) {
  auto ledger = ledger_at(0);
  EXPECT_TRUE(ledger.all_ended(0, 0));
  ledger.ended(2, 3);
  EXPECT_FALSE(ledger.all_ended(0, 3));
  EXPECT_TRUE(ledger.all_ended(2, 5));
  EXPECT_TRUE(ledger.all_ended(3, 4));
  EXPECT_FALSE(ledger.all_ended(2, 6));
  ledger.ended(0, 2);
  EXPECT_TRUE(ledger.all_ended(0, 5));
}

TEST(OffsetLedgerTest, CallsBackWhenAllBeforeHasEnded) {
  auto ledger = ledger_at(0);
  int calls = 0;
  ledger.when_ended(0, [&] { ++calls; });
  EXPECT_EQ(calls, 1) << "nothing is before the first";
  ledger.when_ended(4, [&] { ++calls; });
  ledger.ended(1, 3);
  EXPECT_EQ(calls, 1);
  ledger.ended(0, 1);
  EXPECT_EQ(calls, 2);
  ledger.ended(4, 1);
  EXPECT_EQ(calls, 2);
}

TEST(OffsetLedgerTest, TakesEndsInAnyOrder) {
  std::mt19937 random{20261121};
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    auto ledger = ledger_at(0);
    std::vector<std::uint64_t> order(60);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::shuffle(order, random);
    std::vector<bool> ended(order.size() + 3);
    bool called = false;
    ledger.when_ended(40, [&] { called = true; });
    for (const auto first : order) {
      const auto count = 1 + random() % 3;
      ledger.ended(first, count);
      std::fill_n(ended.begin() + static_cast<std::ptrdiff_t>(first), count, true);
      const auto from = random() % 60;
      const auto to = from + random() % 8;
      bool all = true;
      for (auto i = from; i < std::min<std::uint64_t>(to, ended.size()); ++i)
        all = all && ended[i];
      if (to <= ended.size()) {
        EXPECT_EQ(ledger.all_ended(from, to), all) << from << " to " << to;
      }
      EXPECT_EQ(called,
                std::all_of(ended.begin(), ended.begin() + 40, [](bool one) { return one; }));
    }
  }
}

}  // namespace
}  // namespace millrace::sdk
