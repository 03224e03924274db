#include "runtime/progress.hpp"

#include <gtest/gtest.h>

namespace millrace::runtime {
namespace {

using namespace std::chrono_literals;

TEST(ProgressTest, TellsRecordsRateAndErrors) {
  const sdk::Instant start{};
  Progress progress{start};
  EXPECT_EQ(
    progress.line({{.name = "loyalty", .read = 12345, .skipped = 1, .open = 345}}, start + 1s),
    "loyalty: 12,000 records, 12,000/s, 345 open, 1 error");
}

TEST(ProgressTest, TheRateIsThatOfTheLastTwoSeconds) {
  const sdk::Instant start{};
  Progress progress{start};
  for (int second = 1; second <= 10; ++second)
    progress.line({{.name = "a", .read = 1000u * static_cast<unsigned>(second)}},
                  start + second * 1s);
  EXPECT_EQ(progress.line({{.name = "a", .read = 10'000}}, start + 11s),
            "a: 10,000 records, 500/s, 0 errors");
}

TEST(ProgressTest, AddsPipelinesUp) {
  const sdk::Instant start{};
  Progress progress{start};
  EXPECT_EQ(progress.line(
              {{.name = "a", .read = 5, .failed = 1}, {.name = "b", .read = 7, .dead_lettered = 2}},
              start + 1s),
            "2 pipelines: 12 records, 12/s, 3 errors");
}

TEST(ProgressTest, WritesThousandsApart) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(1234567890), "1,234,567,890");
}

}  // namespace
}  // namespace millrace::runtime
