#include "connectors/sdk/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::sdk {
namespace {

using namespace std::chrono_literals;

TEST(BackoffTest, DoublesUpToItsCap) {
  const Backoff backoff{20ms, 2000ms};
  EXPECT_EQ(backoff.ceiling(1), 20ms);
  EXPECT_EQ(backoff.ceiling(2), 40ms);
  EXPECT_EQ(backoff.ceiling(7), 1280ms);
  EXPECT_EQ(backoff.ceiling(8), 2000ms);
  EXPECT_EQ(backoff.ceiling(4'000'000'000U), 2000ms);
}

TEST(BackoffTest, StaysBelowTheDoubledBaseAndTheCap) {
  std::mt19937_64 random{7};
  for (std::uint32_t attempt = 1; attempt <= 80; ++attempt) {
    const auto delay = Backoff{100ms, 10s}.wait(attempt, random);
    EXPECT_GE(delay, 0ns);
    EXPECT_LE(delay, attempt < 8 ? 100ms * (1 << (attempt - 1)) : 10s);
  }
}

TEST(BackoffTest, SpreadsOverTheWholeRange) {
  std::mt19937_64 random{7};
  std::chrono::nanoseconds least = 10s;
  std::chrono::nanoseconds most = 0ns;
  for (int i = 0; i < 1'000; ++i) {
    const auto delay = Backoff{1s, 10s}.wait(1, random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_LT(least, 50ms);
  EXPECT_GT(most, 950ms);
}

}  // namespace
}  // namespace millrace::sdk
