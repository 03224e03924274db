// Steps die in mid-batch; records do not.
#include "actors/pipeline_run.hpp"
#include "actors/programs.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <stdexcept>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::Collected;
using test::PipelineBuilder;
using test::PipelineRun;

std::vector<sdk::Failure> none() {
  return {};
}

/// Answers each batch from a thread of its own, so that several are always under way.
class ThreadStep : public sdk::Step {
public:
  ThreadStep() : thread_{[this] { run(); }} {}

  ~ThreadStep() override {
    {
      const std::lock_guard lock{mutex_};
      stop_ = true;
    }
    filled_.notify_all();
    thread_.join();
  }

  void process(sdk::Batch batch, sdk::StepDone done) override {
    {
      const std::lock_guard lock{mutex_};
      jobs_.push_back({std::move(batch), std::move(done)});
    }
    filled_.notify_all();
  }

private:
  struct Job {
    sdk::Batch batch;
    sdk::StepDone done;
  };

  void run() {
    std::unique_lock lock{mutex_};
    while (true) {
      filled_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (stop_)
        return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job.done(std::move(job.batch), {});
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Job> jobs_;
  bool stop_ = false;
  std::thread thread_;
};

// Each number is first seen after the one before it, whatever came again in between.
void expect_in_order(const std::vector<std::int64_t>& seen, std::int64_t count) {
  std::int64_t next = 0;
  for (const auto value : seen) {
    ASSERT_LE(value, next) << "seen before the one in front of it";
    if (value == next)
      ++next;
  }
  EXPECT_EQ(next, count);
}

class KillTest : public testing::TestWithParam<std::uint32_t> {};

TEST_P(KillTest, EveryRecordArrivesInOrderWhoeverIsKilled) {
  const auto seed = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  Collected collected;
  PipelineBuilder pipeline{"killed"};
  pipeline.numbers({.lanes = 3, .per_lane = 20'000, .intake = 50});
  pipeline.step("threaded", [] { return std::make_unique<ThreadStep>(); });
  pipeline.function("pass", [](sdk::Batch&) { return none(); }).concurrency = 2;
  pipeline.function("collect", [&](sdk::Batch& batch) {
    collected.add(batch, 0);
    return none();
  });
  EngineOptions options;
  options.restarts = 1'000'000;
  PipelineRun run{test::program(pipeline), options};
  const char* const names[] = {"threaded", "pass", "collect"};
  for (int kills = 0; kills < 30 && !run.ended(); ++kills) {
    const auto before = collected.size();
    run.kill_step(names[random() % 3]);
    // The next one dies once the pipeline has moved on.
    while (collected.size() < before + random() % 2'000 && !run.ended())
      std::this_thread::yield();
  }
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.board().open, 0u);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 60'000u);
  for (int lane = 0; lane < 3; ++lane)
    expect_in_order(collected.lane("lane-" + std::to_string(lane)), 20'000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, KillTest, testing::Range(1u, 9u));

// Record 777 of lane-1 kills its step whenever it gets there.
dsl::StepProgram& add_poisoned(PipelineBuilder& pipeline, std::atomic<int>& deaths) {
  return pipeline.function("poisoned", [&deaths](sdk::Batch& batch) {
    for (const auto& record : batch.records()) {
      if (record.get(0).as_integer() == 777 && batch.lane()->name() == "lane-1") {
        ++deaths;
        throw std::runtime_error{"poison"};
      }
    }
    return none();
  });
}

TEST(PoisonTest, EndsWhereOnErrorSaysAfterKillingItsStepThreeTimes) {
  std::atomic<int> deaths{0};
  Collected collected;
  PipelineBuilder pipeline{"poisoned"};
  pipeline.numbers({.lanes = 3, .per_lane = 2'000, .intake = 20});
  pipeline.function("before", [](sdk::Batch&) { return none(); });
  auto& step = add_poisoned(pipeline, deaths);
  dsl::ErrorRule skip;
  skip.match = {"crash"};
  skip.then = dsl::ErrorAction::skip;
  step.errors.rules.push_back(std::move(skip));
  pipeline.function("collect", [&](sdk::Batch& batch) {
    collected.add(batch, 0);
    return none();
  });
  PipelineRun run{test::program(pipeline)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(deaths, 3);
  EXPECT_EQ(run.settled(sdk::Outcome::skipped), 1u);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 5'999u);
  expect_in_order(collected.lane("lane-0"), 2'000);
  expect_in_order(collected.lane("lane-2"), 2'000);
  const auto lane = collected.lane("lane-1");
  EXPECT_EQ(std::set<std::int64_t>(lane.begin(), lane.end()).size(), 1'999u);
}

TEST(PoisonTest, MeetsThePolicyOfTheSourceWhereItReachesItsStepAsPartOfAnother) {
  class Items final : public sdk::Expression {
  public:
    sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
      return scope.record->get(0);
    }

    std::string text() const override { return "$"; }
  };

  std::atomic<int> deaths{0};
  PipelineBuilder pipeline{"gathered"};
  pipeline.numbers({.lanes = 2, .per_lane = 100, .intake = 20});
  dsl::Gather gather;
  gather.count = 10;
  gather.item = std::make_shared<Items>();
  auto& step = pipeline.step("ten", [] { return nullptr; });
  step.output = 1;
  step.body = std::move(gather);
  pipeline.function("poisoned", [&](sdk::Batch& batch) {
    for (const auto& record : batch.records()) {
      for (const auto& item : record.get(1).find("items")->items()) {
        if (item.as_integer() == 77) {
          ++deaths;
          throw std::runtime_error{"poison"};
        }
      }
    }
    return none();
  });
  auto program = pipeline.take();
  dsl::ErrorRule skip;
  skip.match = {"crash"};
  skip.then = dsl::ErrorAction::skip;
  program.source.errors.rules.push_back(std::move(skip));
  auto whole = std::make_shared<dsl::Program>();
  whole->pipelines.push_back(std::move(program));
  PipelineRun run{whole};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(run.settled(sdk::Outcome::skipped), 2u);
  EXPECT_EQ(run.settled(sdk::Outcome::delivered), 198u);
}

TEST(PoisonTest, StopsThePipelineByDefaultAndNoOtherNotices) {
  std::atomic<int> deaths{0};
  Collected collected;
  PipelineBuilder poisoned{"poisoned"};
  poisoned.numbers({.lanes = 3, .per_lane = 2'000, .intake = 20});
  add_poisoned(poisoned, deaths);
  PipelineBuilder healthy{"healthy"};
  healthy.numbers({.lanes = 2, .per_lane = 30'000, .intake = 20});
  healthy.function("collect", [&](sdk::Batch& batch) {
    collected.add(batch, 0);
    return none();
  });
  PipelineRun run{test::program(poisoned, healthy)};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board(0).state, PipelineState::failed);
  EXPECT_EQ(run.board(0).failed_step, "poisoned");
  ASSERT_TRUE(run.board(0).error);
  EXPECT_EQ(run.board(0).error->kind(), sdk::ErrorKind::crash);
  EXPECT_EQ(deaths, 3);
  EXPECT_EQ(run.board(1).state, PipelineState::finished);
  EXPECT_EQ(run.board(1).restarts, 0u);
  EXPECT_EQ(collected.lane("lane-1").size(), 30'000u);
  expect_in_order(collected.lane("lane-0"), 30'000);
}

TEST(PoisonTest, GivesUpWhenAStepDiesTooOften) {
  PipelineBuilder pipeline{"dying"};
  pipeline.numbers({.lanes = 1, .per_lane = 100'000, .intake = 10, .endless = true});
  pipeline.function("pass", [](sdk::Batch&) { return none(); });
  PipelineRun run{test::program(pipeline)};
  while (!run.ended()) {
    run.kill_step("pass");
    std::this_thread::yield();
  }
  EXPECT_EQ(run.board().state, PipelineState::failed);
  EXPECT_EQ(run.board().restarts, 3u);
  EXPECT_EQ(run.board().failed_step, "pass");
}

}  // namespace
}  // namespace millrace::actors
