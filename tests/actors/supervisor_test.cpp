// What the log says of pipelines that start and end.
#include "actors/caf.hpp"
#include "actors/engine.hpp"
#include "actors/pipeline/calls.hpp"
#include "actors/programs.hpp"
#include "actors/supervisor.hpp"

#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using test::PipelineBuilder;
using Lines = std::vector<std::string>;

class KeptLog final : public sdk::Log {
public:
  bool enabled(sdk::LogLevel level) const noexcept override { return level >= sdk::LogLevel::info; }

  void write(sdk::LogLevel, std::string_view event,
             std::span<const sdk::LogField> fields) noexcept override {
    std::string line{event};
    for (const auto& field : fields)
      line += " " + std::string{field.name} + "=" + std::string{field.value.as_string()};
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
  }

  Lines lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

private:
  mutable std::mutex mutex_;
  Lines lines_;
};

PipelineBuilder numbers() {
  PipelineBuilder pipeline{"numbers"};
  pipeline.numbers({.lanes = 1, .per_lane = 10, .intake = 10});
  pipeline.function("pass", [](sdk::Batch&) { return std::vector<sdk::Failure>{}; });
  return pipeline;
}

TEST(SupervisorTest, SaysOnceThatAPipelineStarted) {
  KeptLog log;
  auto pipeline = numbers();
  Engine engine{{}, {.log = &log}};
  ASSERT_TRUE(engine.start(test::program(pipeline)));
  ASSERT_TRUE(engine.wait_for(60s));
  EXPECT_EQ(log.lines(), Lines{"pipeline started pipeline=numbers"});
}

TEST(SupervisorTest, SaysWhichPipelineFailedWhereItsActorDies) {
  KeptLog log;
  auto pipeline = numbers();
  const auto program = test::program(pipeline);
  auto shared = std::make_shared<PipelineShared>();
  shared->program = program;
  shared->pipeline = &program->pipelines.front();
  shared->env.program = program.get();
  shared->env.pipeline = shared->pipeline;
  shared->env.log = &log;
  shared->env.clock = &sdk::system_clock();
  shared->env.seed = 1;
  shared->on_spawn = [](const std::string&, const caf::actor&) {
    throw std::runtime_error{"out of luck"};
  };
  connect_calls(*shared, {});
  caf::actor_system_config config;
  configure_scheduler(config, 2);
  caf::actor_system system{config};
  std::promise<void> ended;
  const auto root = system.spawn(supervisor, std::vector{shared},
                                 std::function<void()>{[&] { ended.set_value(); }});
  ASSERT_EQ(ended.get_future().wait_for(60s), std::future_status::ready);
  EXPECT_EQ(shared->board->state, PipelineState::failed);
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_TRUE(log.lines()[0].starts_with("pipeline failed pipeline=numbers error="));
  EXPECT_NE(log.lines()[0].find("out of luck"), std::string::npos) << log.lines()[0];
}

}  // namespace
}  // namespace millrace::actors
