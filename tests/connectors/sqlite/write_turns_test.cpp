#include "connectors/sqlite/write_turns.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace millrace::sqlite {
namespace {

TEST(WriteTurnsTest, AreSharedByAllWhoNameTheSameFile) {
  const auto turns = WriteTurns::of("/tmp/a.db");
  EXPECT_EQ(WriteTurns::of("/tmp/../tmp/a.db"), turns);
  EXPECT_NE(WriteTurns::of("/tmp/b.db"), turns);
}

TEST(WriteTurnsTest, LetOneInAtATime) {
  const auto turns = WriteTurns::of("/tmp/c.db");
  std::atomic<int> inside = 0;
  int counted = 0;  // guarded by the turn
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(turns->wait([] { return false; }));
        EXPECT_EQ(++inside, 1);
        ++counted;
        --inside;
        turns->done();
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(counted, 2000);
}

TEST(WriteTurnsTest, ForgetWhoGaveUp) {
  const auto turns = WriteTurns::of("/tmp/d.db");
  ASSERT_TRUE(turns->wait([] { return false; }));
  EXPECT_FALSE(turns->wait([] { return true; }));
  turns->done();
  EXPECT_TRUE(turns->wait([] { return true; })) << "free again";
  turns->done();
}

}  // namespace
}  // namespace millrace::sqlite
