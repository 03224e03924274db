// What a hop costs: records through 1, 4 and 16 steps that do nothing, in batches and alone, in
// nanoseconds per record and hop. A program without the steps is the zero line.
#include "actors/engine.hpp"
#include "connectors/sdk/source.hpp"
#include "connectors/sdk/step.hpp"
#include "dsl/program.hpp"

#include <benchmark/benchmark.h>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace millrace {
namespace {

/// Emits records with a payload on one lane from a thread of its own.
class BenchSource final : public sdk::Source {
public:
  BenchSource(std::size_t records, std::size_t intake) : records_{records}, intake_{intake} {}

  BenchSource(const BenchSource&) = delete;
  BenchSource& operator=(const BenchSource&) = delete;

  ~BenchSource() override {
    if (thread_.joinable())
      thread_.join();
  }

  sdk::Status start(const sdk::SourceContext& context) override {
    thread_ = std::thread{[this, context] {
      const auto lane = std::make_shared<sdk::Lane>("lane");
      const sdk::Value payload{"a payload that lives on the heap, as real ones do"};
      for (std::size_t at = 0; at < records_ && context.events->wait_for_credit(); at += intake_) {
        sdk::Intake intake;
        intake.lane = lane;
        intake.records.reserve(intake_);
        for (std::size_t i = 0; i < intake_; ++i) {
          auto& record = intake.records.emplace_back();
          record.position = at + i;
          record.set(context.output, payload);
        }
        context.events->emit(std::move(intake));
      }
      context.events->end();
    }};
    return {};
  }

  void stop() override {}

private:
  std::size_t records_;
  std::size_t intake_;
  std::thread thread_;
};

class EmptyStep final : public sdk::Step {
public:
  void process(sdk::Batch batch, sdk::StepDone done) override { done(std::move(batch), {}); }
};

std::shared_ptr<const dsl::Program> make_program(std::size_t steps, std::size_t records,
                                                 std::size_t intake) {
  auto program = std::make_shared<dsl::Program>();
  dsl::PipelineProgram pipeline;
  pipeline.name = "bench";
  pipeline.source.name = "in";
  pipeline.source.make = [=] { return std::make_unique<BenchSource>(records, intake); };
  for (std::size_t i = 0; i < steps; ++i) {
    auto step = std::make_unique<dsl::StepProgram>();
    step->name = "step-" + std::to_string(i);
    dsl::ConnectorCall call;
    call.make = [] { return std::make_unique<EmptyStep>(); };
    step->body = std::move(call);
    pipeline.steps.steps.push_back(std::move(step));
  }
  program->pipelines.push_back(std::move(pipeline));
  return program;
}

/// @param state range 0: steps; range 1: records per batch.
void hops(benchmark::State& state) {
  const auto steps = static_cast<std::size_t>(state.range(0));
  const auto intake = static_cast<std::size_t>(state.range(1));
  const std::size_t records = intake == 1 ? 200'000 : 2'000'000;
  for (auto _ : state) {
    actors::EngineOptions options;
    options.batch_records = intake;  // else neighbours that wait together would travel together
    actors::Engine engine{options, {}};
    if (!engine.start(make_program(steps, records, intake)))
      state.SkipWithError("the engine did not start");
    engine.wait();
    if (!engine.summary().all_settled)
      state.SkipWithError("not all records settled");
  }
  const auto all = static_cast<double>(records);
  state.counters["records/s"] = benchmark::Counter{all,
                                                   benchmark::Counter::kIsIterationInvariantRate};
  state.counters["time/record"] = benchmark::Counter{
    all, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert};
}

BENCHMARK(hops)
  ->ArgsProduct({{0, 1, 4, 16}, {1, 100, 512}})
  ->ArgNames({"steps", "batch"})
  ->UseRealTime()
  ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace millrace
