// The actor of a source dies; its records do not.
#include "actors/pipeline_run.hpp"
#include "actors/programs.hpp"

#include <gtest/gtest.h>

#include <future>
#include <random>
#include <stdexcept>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::Collected;
using test::NumberSource;
using test::PipelineBuilder;
using test::PipelineRun;

void expect_in_order(const std::vector<std::int64_t>& seen, std::int64_t count) {
  std::int64_t next = 0;
  for (const auto value : seen) {
    ASSERT_LE(value, next) << "seen before the one in front of it";
    if (value == next)
      ++next;
  }
  EXPECT_EQ(next, count);
}

/// Counts its lives; what it throws where is scripted.
struct Script {
  std::atomic<int> made{0};
  std::atomic<int> starts_that_throw{0};
  std::atomic<int> settlements_that_throw{0};
};

class ScriptedSource final : public NumberSource {
public:
  ScriptedSource(Plan plan, std::shared_ptr<Seen> seen, Script& script)
    : NumberSource{plan, std::move(seen)}, script_{script} {
    ++script_.made;
  }

  sdk::Status start(const sdk::SourceContext& context) override {
    if (script_.starts_that_throw-- > 0)
      throw std::runtime_error{"no luck at the start"};
    return NumberSource::start(context);
  }

  void settled(const sdk::Lane& lane, std::uint64_t position) override {
    if (script_.settlements_that_throw-- > 0)
      throw std::runtime_error{"no luck"};
    NumberSource::settled(lane, position);
  }

private:
  Script& script_;
};

class SourceDeathTest : public testing::Test {
protected:
  std::shared_ptr<const dsl::Program> numbers(std::size_t per_lane) {
    PipelineBuilder pipeline{"numbers"};
    pipeline.source([this, per_lane] {
      return std::make_unique<ScriptedSource>(
        NumberSource::Plan{.lanes = 2, .per_lane = per_lane, .intake = 20}, seen_, script_);
    });
    pipeline.function("pass", [](sdk::Batch&) { return std::vector<sdk::Failure>{}; });
    pipeline.function("collect", [this](sdk::Batch& batch) {
      collected_.add(batch, 0);
      return std::vector<sdk::Failure>{};
    });
    return test::program(pipeline);
  }

  void expect_all(PipelineRun& run, std::int64_t per_lane) {
    ASSERT_TRUE(run.wait());
    EXPECT_EQ(run.board().state, PipelineState::finished);
    EXPECT_EQ(run.board().open, 0U);
    EXPECT_EQ(run.settled(sdk::Outcome::delivered), static_cast<std::uint64_t>(2 * per_lane));
    expect_in_order(collected_.lane("lane-0"), per_lane);
    expect_in_order(collected_.lane("lane-1"), per_lane);
  }

  Script script_;
  std::shared_ptr<NumberSource::Seen> seen_ = std::make_shared<NumberSource::Seen>();
  Collected collected_;
};

class KilledSourceTest : public SourceDeathTest,
                         public testing::WithParamInterface<std::uint32_t> {};

TEST_P(KilledSourceTest, NothingIsReadTwiceOrLostWhoeverIsKilled) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::mt19937 random{GetParam()};
  EngineOptions options;
  options.restarts = 1'000'000;
  options.credit_records = 200;
  PipelineRun run{numbers(10'000), options};
  const char* const names[] = {"in", "in", "pass", "collect"};
  for (int kills = 0; kills < 30 && !run.ended(); ++kills) {
    const auto before = collected_.size();
    run.kill_step(names[random() % 4]);
    while (collected_.size() < before + random() % 500 && !run.ended())
      std::this_thread::yield();
  }
  expect_all(run, 10'000);
  EXPECT_EQ(script_.made, 1);  // the source itself went on all the time
}

INSTANTIATE_TEST_SUITE_P(Seeds, KilledSourceTest, testing::Range(1u, 9u));

TEST_F(SourceDeathTest, ASourceThatThrewGoesOnWhereItWas) {
  script_.settlements_that_throw = 2;
  PipelineRun run{numbers(2'000)};
  expect_all(run, 2'000);
  EXPECT_EQ(script_.made, 1);
  EXPECT_EQ(run.board().restarts, 2U);
}

TEST_F(SourceDeathTest, ASourceThatThrewAtItsStartIsMadeAnew) {
  script_.starts_that_throw = 2;
  PipelineRun run{numbers(100)};
  expect_all(run, 100);
  EXPECT_EQ(script_.made, 3);
}

class KeptErrors final : public sdk::Log {
public:
  bool enabled(sdk::LogLevel) const noexcept override { return true; }

  void write(sdk::LogLevel level, std::string_view event,
             std::span<const sdk::LogField> fields) noexcept override {
    if (level != sdk::LogLevel::error)
      return;
    std::string line{event};
    for (const auto& field : fields) {
      line += " " + std::string{field.name} + "=";
      line += field.value.is_string() ? std::string{field.value.as_string()}
                                      : std::to_string(field.value.as_integer());
    }
    const std::lock_guard lock{mutex};
    lines.push_back(std::move(line));
  }

  std::mutex mutex;
  std::vector<std::string> lines;
};

TEST_F(SourceDeathTest, ASourceThatDiesAgainAndAgainFailsItsPipelineAndSaysWhatHasNotSettled) {
  script_.starts_that_throw = 1'000;
  KeptErrors log;
  PipelineRun run{numbers(10), {}, log};
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::failed);
  ASSERT_TRUE(run.board().error);
  EXPECT_EQ(run.board().error->kind(), sdk::ErrorKind::crash);
  EXPECT_NE(run.board().error->message().find("the source's actor died too often"),
            std::string::npos);
  EXPECT_NE(run.board().error->message().find("no luck at the start"), std::string::npos);
}

TEST_F(SourceDeathTest, WhatWasReadAndNotSettledIsNamedWhenTheSourceGivesUp) {
  KeptErrors log;
  EngineOptions options;
  options.restarts = 0;
  PipelineBuilder pipeline{"numbers"};
  pipeline.source([this] {
    return std::make_unique<ScriptedSource>(
      NumberSource::Plan{.lanes = 1, .per_lane = 30, .intake = 10}, seen_, script_);
  });
  std::promise<void> arrived;
  std::size_t count = 0;
  pipeline.step("hold", [&] {
    class Holder final : public sdk::Step {
    public:
      explicit Holder(std::function<void(std::size_t)> here) : here_{std::move(here)} {}
      void process(sdk::Batch batch, sdk::StepDone) override {
        here_(batch.size());
        held_.push_back(std::move(batch));
      }

    private:
      std::function<void(std::size_t)> here_;
      std::vector<sdk::Batch> held_;
    };
    return std::make_unique<Holder>([&](std::size_t records) {
      count += records;
      if (count == 30)
        arrived.set_value();
    });
  });
  PipelineRun run{test::program(pipeline), options, log};
  ASSERT_EQ(arrived.get_future().wait_for(60s), std::future_status::ready);
  run.kill_step("in");
  ASSERT_TRUE(run.wait());
  const std::lock_guard lock{log.mutex};
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_EQ(log.lines[0], "records are lost: they were read, and have not settled pipeline=numbers "
                          "lane=lane-0 records=30 first_position=0 last_position=29");
}

/// Emits a record a lane, and keeps the answers.
class AskingSource final : public sdk::Source {
public:
  AskingSource(int count, std::vector<int>& answers) : count_{count}, answers_{answers} {}

  sdk::Status start(const sdk::SourceContext& context) override {
    for (int i = 0; i < count_; ++i) {
      sdk::Intake intake;
      intake.lane = std::make_shared<sdk::Lane>("request");
      auto& record = intake.records.emplace_back();
      record.position = static_cast<std::uint64_t>(i);
      record.set(context.output, sdk::Value{i});
      context.events->emit(std::move(intake));
    }
    context.events->end();
    return {};
  }

  bool answers() const noexcept override { return true; }

  void answer(const sdk::Lane&, std::uint64_t position, sdk::Outcome,
              const sdk::Value& value) override {
    EXPECT_EQ(value.as_integer(), static_cast<std::int64_t>(position));
    ++answers_[position];
  }

  void stop() override {}

private:
  int count_;
  std::vector<int>& answers_;
};

TEST_P(KilledSourceTest, EachRequestIsAnsweredOnce) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::mt19937 random{GetParam()};
  constexpr int count = 3'000;
  std::vector<int> answers(count);
  PipelineBuilder pipeline{"requests"};
  pipeline.source([&] { return std::make_unique<AskingSource>(count, answers); });
  pipeline.function("collect", [this](sdk::Batch& batch) {
    collected_.add(batch, 0);
    return std::vector<sdk::Failure>{};
  });
  EngineOptions options;
  options.restarts = 1'000'000;
  PipelineRun run{test::program(pipeline), options};
  for (int kills = 0; kills < 20 && !run.ended(); ++kills) {
    const auto before = collected_.size();
    run.kill_step("in");
    while (collected_.size() < before + random() % 200 && !run.ended())
      std::this_thread::yield();
  }
  ASSERT_TRUE(run.wait());
  EXPECT_EQ(run.board().state, PipelineState::finished);
  EXPECT_EQ(answers, std::vector<int>(count, 1));
}

}  // namespace
}  // namespace millrace::actors
