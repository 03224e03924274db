#include "actors/engine.hpp"
#include "actors/programs.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::Collected;
using test::NumberSource;
using test::PipelineBuilder;

constexpr auto patience = 60s;

std::vector<std::int64_t> counted(std::size_t count) {
  std::vector<std::int64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(EngineTest, CarriesEveryRecordToTheEndInOrder) {
  Collected collected;
  PipelineBuilder pipeline{"numbers"};
  auto seen = std::make_shared<NumberSource::Seen>();
  pipeline.numbers({.lanes = 3, .per_lane = 10'000, .intake = 100}, seen);
  pipeline.function("pass", [](sdk::Batch&) { return std::vector<sdk::Failure>{}; });
  pipeline.function("collect", [&](sdk::Batch& batch) {
    collected.add(batch, 0);
    return std::vector<sdk::Failure>{};
  });
  Engine engine{{}, {}};
  ASSERT_TRUE(engine.start(test::program(pipeline)));
  ASSERT_TRUE(engine.wait_for(patience));
  for (int lane = 0; lane < 3; ++lane)
    EXPECT_EQ(collected.lane("lane-" + std::to_string(lane)), counted(10'000));
  const auto summary = engine.summary();
  EXPECT_TRUE(summary.all_settled);
  EXPECT_EQ(summary.pipelines.front().delivered, 30'000u);
  EXPECT_EQ(summary.pipelines.front().state, PipelineState::finished);
  std::map<std::string, std::uint64_t> last;
  for (const auto& [lane, position] : seen->settled)
    last[lane] = position;
  EXPECT_EQ(last["lane-2"], 9'999u);
}

}  // namespace
}  // namespace millrace::actors
