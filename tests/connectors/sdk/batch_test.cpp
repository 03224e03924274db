#include "connectors/sdk/batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace millrace::sdk {
namespace {

// Hears of every record of its receipts; complains when one settles twice.
class Ledger final : public SettleListener {
public:
  void on_settled(const std::shared_ptr<Receipt>& receipt) noexcept override {
    const std::lock_guard lock{mutex};
    for (const auto& settled : receipt->take_settled()) {
      for (std::uint32_t i = 0; i < settled.count; ++i) {
        const auto sequence = receipt->first_sequence() + settled.first + i;
        twice = twice || outcomes.contains(sequence);
        outcomes[sequence] = settled.outcome;
      }
    }
  }

  std::mutex mutex;
  std::map<std::uint64_t, Outcome> outcomes;
  bool twice = false;
};

class BatchTest : public testing::Test {
protected:
  Batch make(std::uint32_t count) {
    auto receipt = Receipt::make(lane, lane->attempt(), next, count, Receipt::Report::each, ledger);
    std::vector<Record> records;
    for (std::uint32_t i = 0; i < count; ++i) {
      Record record;
      record.sequence = next++;
      record.set(0, Value{static_cast<std::int64_t>(record.sequence)});
      records.push_back(std::move(record));
    }
    Batch batch{lane, lane->attempt()};
    batch.add(std::move(records), receipt->acknowledgement());
    return batch;
  }

  static std::vector<std::uint64_t> sequences(const Batch& batch) {
    std::vector<std::uint64_t> result;
    for (const auto& record : batch.records())
      result.push_back(record.sequence);
    return result;
  }

  LanePtr lane = std::make_shared<Lane>("lane");
  std::shared_ptr<Ledger> ledger = std::make_shared<Ledger>();
  std::uint64_t next = 0;
};

TEST_F(BatchTest, IsLostWhenItIsDestroyedBeforeItsRecordsGo) {
  struct Witness final : Attachment {
    Witness(const Lane& watched, bool& seen) : lane{watched}, raised{seen} {}

    ~Witness() override { raised = lane.attempt() == 1; }

    const Lane& lane;
    bool& raised;
  };

  bool raised = false;
  {
    auto batch = make(3);
    batch[1].attach(1, std::make_unique<Witness>(*lane, raised));
  }
  EXPECT_TRUE(raised) << "the attachment went before the attempt was raised";
  EXPECT_EQ(ledger->outcomes.size(), 3u);
}

TEST_F(BatchTest, LosesWhatItHeldWhenAnotherIsAssigned) {
  auto batch = make(2);
  batch = make(1);
  EXPECT_EQ(ledger->outcomes.at(1), Outcome::lost);
  EXPECT_FALSE(ledger->outcomes.contains(2));
  batch.settle(Outcome::delivered);
}

TEST_F(BatchTest, IsStaleOnceItsLaneMovedOn) {
  auto batch = make(2);
  EXPECT_FALSE(batch.stale());
  lane->raise_attempt(0);
  EXPECT_TRUE(batch.stale());
}

TEST_F(BatchTest, ExtractsEverySecondRecordWithItsAck) {
  auto batch = make(6);
  auto odd = batch.extract({false, true, false, true, false, true});
  EXPECT_EQ(sequences(odd), (std::vector<std::uint64_t>{1, 3, 5}));
  EXPECT_EQ(sequences(batch), (std::vector<std::uint64_t>{0, 2, 4}));
  odd.settle(Outcome::filtered);
  batch.settle(Outcome::delivered);
  EXPECT_EQ(ledger->outcomes[3], Outcome::filtered);
  EXPECT_EQ(ledger->outcomes[4], Outcome::delivered);
}

TEST_F(BatchTest, MergesBySequence) {
  auto batch = make(7);
  auto some = batch.extract({true, false, false, true, true, false, false});
  batch = Batch::merge(std::move(batch), std::move(some));
  EXPECT_EQ(sequences(batch), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  batch.settle(Outcome::delivered);
  EXPECT_EQ(ledger->outcomes.size(), 7u);
}

TEST_F(BatchTest, SettlesOneRecordAndKeepsIt) {
  auto batch = make(3);
  batch.settle_one(1, Outcome::skipped);
  EXPECT_EQ(batch.size(), 3u);
  batch.settle(Outcome::delivered);
  EXPECT_EQ(ledger->outcomes[1], Outcome::skipped);
  EXPECT_FALSE(ledger->twice);
}

// What a batch and its leaves go through between source and sink, at random: the ledger must agree
// with a model that only knows which leaves each record has.
class BatchPropertyTest : public BatchTest {
protected:
  void run(std::uint32_t seed) {
    std::mt19937 random{seed};
    std::map<std::uint64_t, std::pair<int, Outcome>> model;  // open leaves, worst so far
    std::vector<Batch> batches;
    const auto settled = [&](std::uint64_t sequence, Outcome outcome) {
      auto& [open, worst] = model[sequence];
      --open;
      worst = std::max(worst, outcome);
    };
    const auto add = [&] {
      batches.push_back(make(1 + random() % 12));
      for (const auto sequence : sequences(batches.back()))
        model[sequence] = {1, Outcome::delivered};
    };
    const auto end = [&](Batch batch) {
      const auto outcome = static_cast<Outcome>(random() % 6);
      const auto all = sequences(batch);
      for (const auto sequence : all)
        settled(sequence, outcome);
      if (outcome != Outcome::lost)
        batch.settle(outcome);  // else: destroyed
    };
    add();
    for (int step = 0; step < 60 && !batches.empty(); ++step) {
      const auto pick = random() % batches.size();
      auto batch = std::move(batches[pick]);
      batches.erase(batches.begin() + static_cast<std::ptrdiff_t>(pick));
      switch (random() % 8) {
      case 0:
        add();
        break;
      case 1: {
        auto front = batch.split(random() % (batch.size() + 1));
        if (!front.empty())
          batches.push_back(std::move(front));
        break;
      }
      case 2: {
        std::vector<bool> taken(batch.size());
        for (auto&& one : taken)
          one = random() % 2 == 0;
        auto some = batch.extract(taken);
        if (random() % 2 == 0)
          batch = Batch::merge(std::move(batch), std::move(some));
        else if (!some.empty())
          batches.push_back(std::move(some));
        break;
      }
      case 3: {  // foreach: a copy of a record that has to settle as well
        const auto i = random() % batch.size();
        Batch leaf{lane, batch.attempt()};
        ++model[batch[i].sequence].first;
        auto ack = batch.fork(i);
        leaf.add(batch[i].copy(), std::move(ack));
        batches.push_back(std::move(leaf));
        break;
      }
      case 4: {  // one record alone
        const auto i = random() % batch.size();
        std::vector<bool> taken(batch.size());
        taken[i] = true;
        settled(batch[i].sequence, Outcome::skipped);
        batch.extract(taken).settle(Outcome::skipped);
        break;
      }
      case 5: {  // taken and given back, one by one
        Batch again{lane, batch.attempt()};
        for (std::size_t i = 0; i < batch.size(); ++i) {
          auto ack = batch.take_ack(i);
          again.add(std::move(batch[i]), std::move(ack));
        }
        batch = std::move(again);
        break;
      }
      case 6: {  // neighbours meet again
        const auto after = std::find_if(batches.begin(), batches.end(), [&](const Batch& other) {
          return other[0].sequence > batch[batch.size() - 1].sequence
                 && other.attempt() == batch.attempt();
        });
        if (after != batches.end()) {
          batch.append(std::move(*after));
          batches.erase(after);
        }
        break;
      }
      default:
        end(std::move(batch));
        batch = {};
      }
      if (!batch.empty())
        batches.push_back(std::move(batch));
    }
    for (auto& batch : batches)
      end(std::move(batch));
    batches.clear();
    EXPECT_FALSE(ledger->twice);
    ASSERT_EQ(ledger->outcomes.size(), model.size());
    for (const auto& [sequence, leaves] : model) {
      EXPECT_EQ(leaves.first, 0);
      EXPECT_EQ(ledger->outcomes[sequence], leaves.second) << "record " << sequence;
    }
  }
};

TEST_F(BatchPropertyTest, EachRecordSettlesOnceWithTheWorstOutcomeOfItsLeaves) {
  const auto first = std::random_device{}();
  for (std::uint32_t round = 0; round < 5'000 && !HasFailure(); ++round) {
    SCOPED_TRACE("seed " + std::to_string(first + round));
    ledger = std::make_shared<Ledger>();
    lane = std::make_shared<Lane>("lane");
    next = 0;
    run(first + round);
  }
}

TEST_F(BatchTest, SettlesFromManyThreads) {
  auto batch = make(4'000);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    auto part = std::make_shared<Batch>(batch.split(1'000));
    threads.emplace_back([part] {
      while (!part->empty())
        part->split(std::min<std::size_t>(7, part->size())).settle(Outcome::delivered);
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(ledger->outcomes.size(), 4'000u);
  EXPECT_FALSE(ledger->twice);
}

TEST(RecordTest, KeepsSlotsBeyondTheInlineOnes) {
  Record record;
  record.set(9, Value{"nine"});
  record.set(2, Value{2});
  EXPECT_EQ(record.get(9).as_string(), "nine");
  EXPECT_TRUE(record.get(8).is_null());
  EXPECT_TRUE(record.get(100).is_null());
  const auto copy = record.copy();
  EXPECT_EQ(copy.get(9).as_string(), "nine");
  EXPECT_EQ(copy.get(2).as_integer(), 2);
}

TEST(RecordTest, HoldsOneAttachmentPerKeyAndLeavesThemOutOfCopies) {
  struct Mark final : Attachment {};

  Record record;
  record.attach(1, std::make_unique<Mark>());
  auto second = std::make_unique<Mark>();
  auto* const raw = second.get();
  record.attach(1, std::move(second));
  EXPECT_EQ(record.attachment(1), raw);
  EXPECT_EQ(record.attachment(2), nullptr);
  EXPECT_FALSE(record.copy().has_attachments());
  EXPECT_NE(record.detach(1), nullptr);
  EXPECT_FALSE(record.has_attachments());
}

TEST(LaneTest, MovesOnFromAnAttemptOnlyOnce) {
  Lane lane{"lane"};
  EXPECT_TRUE(lane.raise_attempt(0));
  EXPECT_FALSE(lane.raise_attempt(0));
  EXPECT_EQ(lane.attempt(), 1u);
}

}  // namespace
}  // namespace millrace::sdk
