#include "connectors/sdk/metrics.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

namespace millrace::sdk {
namespace {

using namespace std::chrono_literals;

TEST(HistogramTest, CountsAValueInTheFirstBucketThatHoldsIt) {
  Histogram histogram{depth_buckets};
  histogram.observe(1.0);
  histogram.observe(1.5);
  histogram.observe(2.0);
  histogram.observe(5000.0);
  const auto taken = histogram.snapshot();

  EXPECT_EQ(taken.counts.size(), taken.bounds.size() + 1);
  EXPECT_EQ(taken.counts[0], 1U);
  EXPECT_EQ(taken.counts[1], 2U);
  EXPECT_EQ(taken.counts.back(), 1U) << "above all bounds";
  EXPECT_EQ(taken.count, 4U);
  EXPECT_DOUBLE_EQ(taken.sum, 5004.5);
}

TEST(HistogramTest, TakesTimesInSeconds) {
  Histogram histogram{time_buckets};
  histogram.observe(3ms);
  EXPECT_DOUBLE_EQ(histogram.snapshot().sum, 0.003);
}

TEST(HistogramTest, LosesNothingWhenSeveralThreadsFeedIt) {
  Histogram histogram{time_buckets};
  Counter counter;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        histogram.observe(1us);
        counter.add();
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(histogram.snapshot().count, 40'000U);
  EXPECT_EQ(counter.value(), 40'000U);
}

}  // namespace
}  // namespace millrace::sdk
