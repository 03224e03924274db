#include "connectors/asio/reactor.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <vector>

namespace millrace::asio {
namespace {

using namespace std::chrono_literals;

TEST(ReactorTest, RunsTasksOfOneLoopInTheirOrderOnItsThread) {
  const auto reactor = make_reactor({.threads = 2});
  auto& loop = reactor->loop();
  std::vector<int> seen;
  std::promise<bool> done;
  for (int i = 0; i < 1000; ++i)
    loop.post([&seen, i] { seen.push_back(i); });
  loop.post([&] { done.set_value(loop.on_this_thread()); });

  EXPECT_TRUE(done.get_future().get());
  ASSERT_EQ(seen.size(), 1000U);
  EXPECT_EQ(seen.front(), 0);
  EXPECT_EQ(seen.back(), 999);
  EXPECT_FALSE(loop.on_this_thread());
}

TEST(ReactorTest, HandsItsLoopsOutInTurn) {
  const auto reactor = make_reactor({.threads = 2});
  auto* first = &reactor->loop();
  auto* second = &reactor->loop();

  EXPECT_NE(first, second);
  EXPECT_EQ(first, &reactor->loop());
  EXPECT_EQ(reactor->loop_count(), 2U);
}

TEST(ReactorTest, RunsTimersByTheirTimeAndNotTheCancelledOnes) {
  const auto reactor = make_reactor({.threads = 1});
  auto& loop = reactor->loop();
  std::vector<int> seen;
  std::promise<void> done;
  loop.post([&] {
    loop.after(30ms, [&] { done.set_value(); });
    const auto cancelled = loop.after(5ms, [&] { seen.push_back(5); });
    loop.after(20ms, [&] { seen.push_back(20); });
    loop.after(10ms, [&] { seen.push_back(10); });
    loop.cancel(cancelled);
  });
  done.get_future().get();

  EXPECT_EQ(seen, (std::vector{10, 20}));
}

TEST(ReactorTest, TakesTimersFromOtherThreads) {
  const auto reactor = make_reactor({.threads = 1});
  std::promise<bool> done;
  auto& loop = reactor->loop();
  loop.after(1ms, [&] { done.set_value(loop.on_this_thread()); });

  EXPECT_TRUE(done.get_future().get());
}

TEST(ReactorTest, DropsWhatHasNotRunWhenItStops) {
  auto reactor = make_reactor({.threads = 1});
  auto token = std::make_shared<int>(7);
  reactor->loop().after(1h, [token] { FAIL(); });
  reactor->stop();
  reactor->loop().post([token] { FAIL(); });

  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace millrace::asio
