// Files of 200-byte JSON lines: the source alone (read, cut, parse, hand over), the write step
// alone (serialise, write on its thread), and a bare loop that does both without any of the
// engine's types.
#include "connectors/file/source.hpp"
#include "connectors/file/step.hpp"
#include "connectors/sdk/json.hpp"
#include "tests/bench/bare_loop.hpp"

#include <benchmark/benchmark.h>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace millrace::file {
namespace {

constexpr int lines = 400'000;

class Files {
public:
  Files() : directory_{std::filesystem::temp_directory_path() / "millrace-bench"} {
    std::filesystem::create_directories(directory_);
    std::ofstream out{input(), std::ios::binary};
    for (int i = 0; i < lines; ++i)
      out << bench::line_of(i);
  }

  ~Files() { std::filesystem::remove_all(directory_); }

  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  std::string input() const { return (directory_ / "in.jsonl").string(); }

  std::string output() const { return (directory_ / "out.jsonl").string(); }

  std::int64_t bytes() const {
    return static_cast<std::int64_t>(std::filesystem::file_size(input()));
  }

private:
  std::filesystem::path directory_;
};

const Files& files() {
  static const Files all;
  return all;
}

class Counting final : public sdk::SourceEvents {
public:
  void emit(sdk::Intake intake) override { records_ += intake.records.size(); }

  void end() override {
    const std::lock_guard lock{mutex_};
    ended_ = true;
    changed_.notify_all();
  }

  void fail(sdk::Error) override { end(); }

  bool has_credit() const noexcept override { return true; }

  bool wait_for_credit() override { return true; }

  void when_credit(std::function<void()> resume) override { resume(); }

  std::size_t wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return ended_; });
    return records_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t records_ = 0;
  bool ended_ = false;
};

class Constant final : public sdk::Expression {
public:
  explicit Constant(sdk::Value value) : value_{std::move(value)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope&) const override { return value_; }

  const sdk::Value* constant() const noexcept override { return &value_; }

  std::string text() const override { return {}; }

private:
  sdk::Value value_;
};

void count(benchmark::State& state, std::int64_t records) {
  state.SetItemsProcessed(records * state.iterations());
  state.SetBytesProcessed(files().bytes() / lines * records * state.iterations());
}

void read_and_parse(benchmark::State& state) {
  auto config = std::make_shared<ReadConfig>();
  config->path = sdk::Text{files().input()};
  for (auto _ : state) {
    Counting events;
    FileSource source{config};
    sdk::SourceContext context;
    context.output = 0;
    context.events = &events;
    context.log = &sdk::silent_log();
    if (!source.start(context) || events.wait() != lines)
      state.SkipWithError("not all records came");
  }
  count(state, lines);
}

BENCHMARK(read_and_parse)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

void serialise_and_write(benchmark::State& state) {
  constexpr int batches = 200;
  constexpr int batch_size = 512;
  std::vector<sdk::Value> values;
  values.reserve(batch_size);
  for (int i = 0; i < batch_size; ++i)
    values.push_back(*sdk::parse_json(bench::line_of(i)));
  for (auto _ : state) {
    auto shared = std::make_shared<SharedWrite>();
    shared->config.path = std::make_shared<Constant>(sdk::Value{files().output()});
    FileStep step{shared};
    sdk::StepContext context;
    context.input = 0;
    context.log = &sdk::silent_log();
    if (!step.start(context))
      state.SkipWithError("cannot write");
    std::vector<sdk::Batch> made;
    made.reserve(batches);
    state.PauseTiming();
    const auto lane = std::make_shared<sdk::Lane>("bench");
    for (int b = 0; b < batches; ++b) {
      sdk::Batch batch{lane, 0};
      for (const sdk::Value& value : values) {
        sdk::Record record;
        record.set(0, value);
        batch.add(std::move(record), {});
      }
      made.push_back(std::move(batch));
    }
    state.ResumeTiming();
    std::mutex mutex;
    std::condition_variable changed;
    int back = 0;
    for (sdk::Batch& batch : made)
      step.process(std::move(batch), [&](sdk::Batch, std::vector<sdk::Failure>) {
        const std::lock_guard lock{mutex};
        if (++back == batches)
          changed.notify_all();
      });
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return back == batches; });
  }
  count(state, std::int64_t{batches} * batch_size);
}

BENCHMARK(serialise_and_write)
  ->Unit(benchmark::kMillisecond)
  ->MeasureProcessCPUTime()
  ->UseRealTime();

void bare(benchmark::State& state) {
  for (auto _ : state)
    if (bench::bare_loop(files().input(), files().output()) != lines)
      state.SkipWithError("not all records came");
  count(state, lines);
}

BENCHMARK(bare)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace millrace::file
