// Programs made by hand, with sources and steps of the test's own.
#pragma once

#include "connectors/sdk/source.hpp"
#include "connectors/sdk/step.hpp"
#include "dsl/program.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::test {

/// Emits numbers on lanes, from a thread of its own, with credit, and ends.
class NumberSource : public sdk::Source {
public:
  struct Plan {
    std::size_t lanes = 1;
    std::size_t per_lane = 100;
    std::size_t intake = 10;
    bool endless = false;
  };

  /// What all lives of the source have seen.
  struct Seen {
    std::mutex mutex;
    std::vector<std::pair<std::string, std::uint64_t>> settled;  // lane, position
  };

  NumberSource(Plan plan, std::shared_ptr<Seen> seen) : plan_{plan}, seen_{std::move(seen)} {}

  ~NumberSource() override {
    if (thread_.joinable())
      thread_.join();
  }

  sdk::Status start(const sdk::SourceContext& context) override {
    context_ = context;
    thread_ = std::thread{[this] { run(); }};
    return {};
  }

  void settled(const sdk::Lane& lane, std::uint64_t position) override {
    const std::lock_guard lock{seen_->mutex};
    seen_->settled.emplace_back(lane.name(), position);
  }

  void stop() override { stop_ = true; }

private:
  void run() {
    std::vector<sdk::LanePtr> lanes;
    for (std::size_t i = 0; i < plan_.lanes; ++i)
      lanes.push_back(std::make_shared<sdk::Lane>("lane-" + std::to_string(i)));
    for (std::size_t at = 0; plan_.endless || at < plan_.per_lane; at += plan_.intake) {
      for (auto& lane : lanes) {
        if (stop_ || !context_.events->wait_for_credit()) {
          context_.events->end();
          return;
        }
        sdk::Intake intake;
        intake.lane = lane;
        for (std::size_t i = at; i < at + plan_.intake && (plan_.endless || i < plan_.per_lane);
             ++i) {
          sdk::Record record;
          record.position = i;
          record.set(context_.output, sdk::Value{static_cast<std::int64_t>(i)});
          intake.records.push_back(std::move(record));
          intake.bytes += 8;
        }
        context_.events->emit(std::move(intake));
      }
    }
    context_.events->end();
  }

  Plan plan_;
  std::shared_ptr<Seen> seen_;
  sdk::SourceContext context_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// Calls a function with each batch, in the actor's turn; what it names as failed fails.
class FunctionStep : public sdk::Step {
public:
  using Function = std::function<std::vector<sdk::Failure>(sdk::Batch&)>;

  explicit FunctionStep(Function function) : function_{std::move(function)} {}

  void process(sdk::Batch batch, sdk::StepDone done) override {
    auto failures = function_(batch);
    done(std::move(batch), std::move(failures));
  }

private:
  Function function_;
};

/// What reached a step, by lane, in the order in which it did.
class Collected {
public:
  void add(const sdk::Batch& batch, sdk::Slot slot) {
    const std::lock_guard lock{mutex_};
    for (const auto& record : batch.records())
      values_.emplace_back(batch.lane()->name(), record.get(slot).as_integer());
  }

  std::vector<std::int64_t> lane(const std::string& name) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::int64_t> result;
    for (const auto& [lane, value] : values_) {
      if (lane == name)
        result.push_back(value);
    }
    return result;
  }

  std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return values_.size();
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::int64_t>> values_;
};

/// Builds one pipeline.
class PipelineBuilder {
public:
  explicit PipelineBuilder(std::string name) {
    pipeline_.name = std::move(name);
    pipeline_.source.name = "in";
    pipeline_.source.output = 0;
  }

  PipelineBuilder& source(sdk::SourceFactory make) {
    pipeline_.source.make = std::move(make);
    return *this;
  }

  PipelineBuilder&
  numbers(NumberSource::Plan plan,
          std::shared_ptr<NumberSource::Seen> seen = std::make_shared<NumberSource::Seen>()) {
    return source([plan, seen] { return std::make_unique<NumberSource>(plan, seen); });
  }

  static std::unique_ptr<dsl::StepProgram> make_step(std::string name, sdk::StepFactory make) {
    auto program = std::make_unique<dsl::StepProgram>();
    program->name = std::move(name);
    program->type = "test";
    dsl::ConnectorCall call;
    call.make = std::move(make);
    program->body = std::move(call);
    return program;
  }

  dsl::StepProgram& step(std::string name, sdk::StepFactory make) {
    pipeline_.steps.steps.push_back(make_step(std::move(name), std::move(make)));
    return *pipeline_.steps.steps.back();
  }

  dsl::StepProgram& function(std::string name, FunctionStep::Function function) {
    return step(std::move(name), [function] { return std::make_unique<FunctionStep>(function); });
  }

  dsl::StepProgram& dead_letter(FunctionStep::Function function) {
    pipeline_.dead_letter = make_step(
      "dead-letter", [function] { return std::make_unique<FunctionStep>(function); });
    return *pipeline_.dead_letter;
  }

  dsl::PipelineProgram take() { return std::move(pipeline_); }

private:
  dsl::PipelineProgram pipeline_;
};

template <class... Pipelines>
std::shared_ptr<const dsl::Program> program(Pipelines&&... pipelines) {
  auto result = std::make_shared<dsl::Program>();
  (result->pipelines.push_back(pipelines.take()), ...);
  return result;
}

}  // namespace millrace::test
