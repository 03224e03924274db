#include "actors/db/pool_table.hpp"

#include <gtest/gtest.h>

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;

class PoolTableTest : public testing::Test {
protected:
  PoolTable<int> table_{2};
  sdk::Instant now_{1000s};
};

TEST_F(PoolTableTest, FindsAPoolByItsKeyUntilItIsTaken) {
  EXPECT_EQ(table_.find("a", now_), nullptr);
  table_.insert("a", 7, 10s, now_);
  ASSERT_NE(table_.find("a", now_), nullptr);
  EXPECT_EQ(*table_.find("a", now_), 7);
  EXPECT_FALSE(table_.full());
  table_.insert("b", 8, 10s, now_);
  EXPECT_TRUE(table_.full());
}

TEST_F(PoolTableTest, NamesThoseThatNobodyHasUsedForTheirLimit) {
  table_.insert("a", 7, 10s, now_);
  table_.insert("b", 8, 20s, now_);
  EXPECT_EQ(table_.next_tick(), now_ + 10s);
  now_ += 9s;
  table_.find("a", now_);
  now_ += 9s;
  EXPECT_TRUE(table_.idle(now_).empty());
  now_ += 1s;
  const auto idle = table_.idle(now_);
  ASSERT_EQ(idle.size(), 1U);
  EXPECT_EQ(idle[0].key, "a");
  EXPECT_TRUE(table_.idle(now_).empty()) << "once per limit";
  EXPECT_EQ(table_.take_unused("a", idle[0].use), 7);
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(PoolTableTest, KeepsAPoolThatWasUsedWhileItWasLookedAt) {
  table_.insert("a", 7, 10s, now_);
  now_ += 10s;
  const auto idle = table_.idle(now_);
  ASSERT_EQ(idle.size(), 1U);
  table_.find("a", now_);
  EXPECT_FALSE(table_.take_unused("a", idle[0].use));
  EXPECT_EQ(table_.next_tick(), now_ + 10s);
}

TEST_F(PoolTableTest, KeepsForEverWhatHasNoLimit) {
  table_.insert("a", 7, 0s, now_);
  EXPECT_TRUE(table_.idle(now_ + 1000h).empty());
  EXPECT_FALSE(table_.next_tick());
}

}  // namespace
}  // namespace millrace::actors::db
