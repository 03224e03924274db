#include "actors/restart_policy.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;

TEST(FullJitterTest, StaysBelowTheDoubledBaseAndTheCap) {
  Jitter jitter{7};
  for (std::uint32_t attempt = 0; attempt < 80; ++attempt) {
    const auto delay = full_jitter(100ms, 10s, attempt, jitter);
    EXPECT_GE(delay, 0ns);
    EXPECT_LE(delay, attempt < 7 ? 100ms * (1 << attempt) : 10s);
  }
}

TEST(FullJitterTest, SpreadsOverTheWholeRange) {
  Jitter jitter{7};
  std::chrono::nanoseconds least = 10s;
  std::chrono::nanoseconds most = 0ns;
  for (int i = 0; i < 1'000; ++i) {
    const auto delay = full_jitter(1s, 10s, 0, jitter);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_LT(least, 50ms);
  EXPECT_GT(most, 950ms);
}

TEST(RestartPolicyTest, GivesUpAfterSoManyDeathsWithinTheWindow) {
  RestartPolicy policy{{.restarts = 3, .window = 60s}};
  Jitter jitter{7};
  const sdk::Instant start{1h};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(policy.on_death(start + 1s * i, jitter));
  EXPECT_FALSE(policy.on_death(start + 3s, jitter));
}

TEST(RestartPolicyTest, ForgetsWhatLiesBeforeTheWindow) {
  RestartPolicy policy{{.restarts = 1, .window = 60s}};
  Jitter jitter{7};
  const sdk::Instant start{1h};
  EXPECT_TRUE(policy.on_death(start, jitter));
  EXPECT_TRUE(policy.on_death(start + 61s, jitter));
  EXPECT_FALSE(policy.on_death(start + 62s, jitter));
}

TEST(RestartPolicyTest, ForgivesDeathsWhoseReasonIsKnown) {
  RestartPolicy policy{{.restarts = 1, .window = 60s}};
  Jitter jitter{7};
  const sdk::Instant start{1h};
  EXPECT_TRUE(policy.on_death(start, jitter));
  policy.forgive();
  EXPECT_TRUE(policy.on_death(start + 1s, jitter));
}

}  // namespace
}  // namespace millrace::actors
