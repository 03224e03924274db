#include "actors/steps/token_bucket.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;

const sdk::Instant start{1h};

TEST(TokenBucketsTest, LetsTheFirstEventOfAKeyGoAtOnce) {
  TokenBuckets buckets{10};
  EXPECT_EQ(buckets.reserve("a", start), 0ns);
  EXPECT_EQ(buckets.reserve("b", start), 0ns);
}

TEST(TokenBucketsTest, SpacesABurstEvenly) {
  TokenBuckets buckets{100};
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(buckets.reserve("a", start), i * 10ms);
}

TEST(TokenBucketsTest, SavesNothingUpDuringAPause) {
  TokenBuckets buckets{100};
  EXPECT_EQ(buckets.reserve("a", start), 0ns);
  EXPECT_EQ(buckets.reserve("a", start + 10s), 0ns);
  EXPECT_EQ(buckets.reserve("a", start + 10s), 10ms);
}

TEST(TokenBucketsTest, TakesRatesBelowOneASecond) {
  TokenBuckets buckets{0.5};
  buckets.reserve("a", start);
  EXPECT_EQ(buckets.reserve("a", start), 2s);
}

TEST(TokenBucketsTest, ForgetsKeysThatCouldGoAtOnce) {
  TokenBuckets buckets{1000};
  for (int i = 0; i < 100'000; ++i)
    buckets.reserve(std::to_string(i), start + std::chrono::seconds{i});
  EXPECT_LE(buckets.keys(), 4097U);
}

}  // namespace
}  // namespace millrace::actors
