#include "actors/restart_policy.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;

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
