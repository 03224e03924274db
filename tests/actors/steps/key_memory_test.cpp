#include "actors/steps/key_memory.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using Verdict = KeyMemory::Verdict;

const sdk::Instant start{1h};

TEST(KeyMemoryTest, HoldsASecondRecordUntilTheFirstIsDelivered) {
  KeyMemory memory{10min, 100};
  EXPECT_EQ(memory.see("a", start), Verdict::fresh);
  EXPECT_EQ(memory.see("a", start), Verdict::pending);
  memory.confirm("a", start);
  EXPECT_EQ(memory.see("a", start), Verdict::duplicate);
}

TEST(KeyMemoryTest, LetsTheNextOneThroughWhenTheFirstFailed) {
  KeyMemory memory{10min, 100};
  EXPECT_EQ(memory.see("a", start), Verdict::fresh);
  memory.release("a");
  EXPECT_EQ(memory.see("a", start), Verdict::fresh);
}

TEST(KeyMemoryTest, ForgetsAKeyWhenItsWindowHasPassed) {
  KeyMemory memory{10min, 100};
  memory.see("a", start);
  memory.confirm("a", start);
  EXPECT_EQ(memory.see("a", start + 10min - 1ms), Verdict::duplicate);
  EXPECT_EQ(memory.see("a", start + 10min), Verdict::fresh);
}

TEST(KeyMemoryTest, CountsTheWindowFromDelivery) {
  KeyMemory memory{10min, 100};
  memory.see("a", start);
  memory.confirm("a", start + 9min);
  EXPECT_EQ(memory.see("a", start + 15min), Verdict::duplicate);
}

TEST(KeyMemoryTest, ForgetsTheOldestFirmKeyBeyondItsBound) {
  KeyMemory memory{10min, 2};
  for (const auto* key : {"a", "b", "c"}) {
    memory.see(key, start);
    memory.confirm(key, start);
  }
  EXPECT_EQ(memory.size(), 2U);
  EXPECT_EQ(memory.see("c", start), Verdict::duplicate);
  EXPECT_EQ(memory.see("a", start), Verdict::fresh);
}

TEST(KeyMemoryTest, NeverForgetsATentativeKey) {
  KeyMemory memory{1ms, 1};
  memory.see("a", start);
  EXPECT_EQ(memory.see("a", start + 1h), Verdict::pending);
}

TEST(KeyMemoryTest, IgnoresLateNewsOfKeysItDoesNotHold) {
  KeyMemory memory{10min, 2};
  memory.confirm("a", start);
  memory.release("a");
  EXPECT_EQ(memory.see("a", start), Verdict::fresh);
  memory.confirm("a", start);
  memory.release("a");  // of a record that was delivered: too late
  EXPECT_EQ(memory.see("a", start), Verdict::duplicate);
}

}  // namespace
}  // namespace millrace::actors
