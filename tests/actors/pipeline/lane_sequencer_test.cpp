#include "actors/pipeline/lane_sequencer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace millrace::actors {
namespace {

sdk::Batch numbered(std::uint64_t number) {
  sdk::Record record;
  record.sequence = number;
  sdk::Batch batch;
  batch.add(std::move(record), {});
  return batch;
}

TEST(LaneSequencerTest, LetsAnEmptyBatchGiveItsPlaceUp) {
  LaneSequencer sequencer{true};
  std::vector<sdk::Batch> ready;
  const auto first = sequencer.open(1, 0);
  const auto second = sequencer.open(1, 0);
  sequencer.complete(second, numbered(2), ready);
  EXPECT_TRUE(ready.empty());
  sequencer.complete(first, {}, ready);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_TRUE(sequencer.idle());
}

TEST(LaneSequencerTest, DoesNotLetAnOldAttemptHoldTheNextOneUp) {
  LaneSequencer sequencer{true};
  std::vector<sdk::Batch> ready;
  sequencer.open(1, 0);
  sequencer.complete(sequencer.open(1, 1), numbered(1), ready);
  EXPECT_EQ(ready.size(), 1u);
}

TEST(LaneSequencerTest, KnowsTheOldestPlaceThatHasNotLeft) {
  LaneSequencer sequencer{true};
  std::vector<sdk::Batch> ready;
  const auto first = sequencer.open(1, 0);
  const auto second = sequencer.open(2, 0);
  sequencer.complete(second, numbered(2), ready);
  EXPECT_EQ(sequencer.oldest(), first);
  sequencer.complete(first, numbered(1), ready);
  EXPECT_EQ(sequencer.oldest(), sequencer.next());
}

TEST(LaneSequencerTest, KeepsEveryLaneInOrderHoweverLateBatchesComeBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 200; ++round) {
    LaneSequencer sequencer{true};
    std::vector<std::pair<LaneSequencer::Place, std::uint64_t>>
      open;  // place, lane * 1000 + number
    std::map<std::uint64_t, std::uint64_t> opened;
    std::map<std::uint64_t, std::uint64_t> left;
    for (int step = 0; step < 200 || !open.empty(); ++step) {
      if (step < 200 && random() % 2 == 0) {
        const auto lane = random() % 4;
        open.emplace_back(sequencer.open(lane, 0), lane * 1000 + opened[lane]++);
        continue;
      }
      if (open.empty())
        continue;
      const auto pick = static_cast<std::ptrdiff_t>(random() % open.size());
      const auto [place, number] = open[static_cast<std::size_t>(pick)];
      open.erase(open.begin() + pick);
      std::vector<sdk::Batch> ready;
      sequencer.complete(place, numbered(number), ready);
      for (const auto& batch : ready)
        ASSERT_EQ(batch[0].sequence % 1000, left[batch[0].sequence / 1000]++);
    }
    EXPECT_TRUE(sequencer.idle());
    EXPECT_EQ(left, opened);
  }
}

}  // namespace
}  // namespace millrace::actors
