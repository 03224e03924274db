// A waiter whose time runs out at the very moment of its turn: it is answered once, and its
// connection is not lost.
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_core_fixture.hpp"
#include "tests/actors/db/pool_fixture.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;

TEST_F(PoolCoreTest, LosesNoConnectionToAWaiterWhoseTimeIsJustOver) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  make({.min_size = 2, .max_size = 2, .timeout = 10ms, .max_lifetime = 0s, .max_idle = 0s});
  connect(1);
  connect(opened_.back());
  std::vector<ConnectionId> held;
  std::size_t answered = 0;
  std::size_t asked = 0;
  for (int round = 0; round < 10'000; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const auto waiters = 1 + random() % 4;
    for (std::size_t i = 0; i < waiters; ++i) {
      auto request = std::make_shared<SessionRequest>();
      // Who is served is answered here too, when the fixture drops what the core granted.
      request->done = [&answered](const sdk::Result<SessionHandle>&) { ++answered; };
      ++asked;
      core_->submit(std::move(request), now_);
      now_ += std::chrono::milliseconds{random() % 3};
    }
    // Hand-overs and the end of the waiters' time, in any order at the same moment.
    now_ += std::chrono::milliseconds{8 + random() % 4};
    const auto give_back = [&] {
      collect();
      held.insert(held.end(), granted_.begin(), granted_.end());
      granted_.clear();
      if (held.empty())
        return;
      core_->released(held.back(), true, now_);
      held.pop_back();
    };
    for (int step = 0; step < 4; ++step) {
      if (random() % 2 == 0)
        core_->tick(now_);
      else
        give_back();
    }
    collect();
    held.insert(held.end(), granted_.begin(), granted_.end());
    granted_.clear();
    ASSERT_EQ(core_->info().total, 2U);
    ASSERT_EQ(core_->info().checked_out, held.size());
    ASSERT_LE(held.size(), 2U);
  }
  pass(1s);
  while (!held.empty()) {
    core_->released(held.back(), true, now_);
    held.pop_back();
  }
  EXPECT_EQ(answered, asked) << "each exactly once";
  EXPECT_EQ(core_->info().available, 2U);
}

TEST(PoolHandoverTest, LosesNoConnectionWhenManyGiveUpAtTheirTurn) {
  auto found = sqlite_case(":memory:");
  found.settings.pool.timeout = 1ms;
  PoolFixture pool{found.settings, *found.driver};
  while (!pool.run("SELECT 1"))
    std::this_thread::yield();  // it connects
  std::atomic<int> answered = 0;
  std::atomic<int> granted = 0;
  constexpr int rounds = 10'000;
  for (int round = 0; round < rounds; ++round) {
    pool.handle().begin({}, [&](const sdk::Result<SessionHandle>& session) {
      granted += session ? 1 : 0;
      ++answered;
    });
    if (round % 8 == 0)
      std::this_thread::yield();
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while ((answered < rounds || pool.info().checked_out > 0)
         && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(answered, rounds);
  EXPECT_GT(granted, 0);
  EXPECT_EQ(pool.info().checked_out, 0U);
  EXPECT_EQ(pool.info().waiting, 0U);
}

}  // namespace
}  // namespace millrace::actors::db
