// A StepCore's surroundings, scripted.
#pragma once

#include "actors/pipeline/step_core.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

class ScriptedClock final : public sdk::Clock {
public:
  sdk::Instant now() const noexcept override { return now_; }

  sdk::WallTime wall() const noexcept override { return {}; }

  void advance(std::chrono::nanoseconds by) { now_ += by; }

private:
  sdk::Instant now_{std::chrono::hours{1}};
};

/// Keeps what leaves the step, and settles it on demand.
class FakeStepHost final : public actors::StepHost {
public:
  void forward(sdk::Batch batch, bool counted) override {
    counted_records += counted ? batch.size() : 0;
    for (const auto& record : batch.records())
      log.push_back(batch.lane()->name() + ":" + std::to_string(record.sequence));
    forwarded.push_back(std::move(batch));
  }

  void forward_flush() override { log.emplace_back("flush"); }

  bool counts_room() const noexcept override { return true; }

  void to_branch(std::size_t branch, sdk::Batch batch) override {
    branches.emplace_back(branch, std::move(batch));
  }

  void flush_branch(std::size_t branch) override { branch_flushes.push_back(branch); }

  bool to_dead_letter(sdk::Batch& batch) override {
    if (!has_dead_letter)
      return false;
    dead_letters.push_back(std::move(batch));
    return true;
  }

  void wake_at(sdk::Instant when) override { wake = when; }

  actors::StagePost post() override {
    return [tasks = tasks](std::function<void()> task) { tasks->push_back(std::move(task)); };
  }

  void run_posted() {
    while (!tasks->empty()) {
      auto due = std::exchange(*tasks, {});
      for (auto& task : due)
        task();
    }
  }

  std::vector<std::string> log;
  std::vector<sdk::Batch> forwarded;
  std::vector<std::pair<std::size_t, sdk::Batch>> branches;
  std::vector<std::size_t> branch_flushes;
  std::vector<sdk::Batch> dead_letters;
  std::optional<sdk::Instant> wake;
  std::size_t counted_records = 0;
  bool has_dead_letter = false;
  std::shared_ptr<std::vector<std::function<void()>>> tasks =
    std::make_shared<std::vector<std::function<void()>>>();
};

/// Holds what it is given until the test gives it back.
class HoldingStage final : public actors::Stage {
public:
  sdk::Status start(actors::StageContext& given) override {
    context = &given;
    return {};
  }

  void process(sdk::Batch batch, actors::Ticket ticket) override {
    held.emplace_back(ticket, std::move(batch));
  }

  void on_flush() override { ++flushes; }

  void on_return(std::size_t, sdk::Batch batch) override {
    ++returned;
    batch.settle(sdk::Outcome::delivered);
  }

  void give_back(std::size_t index, std::vector<sdk::Failure> failures = {}) {
    auto one = std::move(held[index]);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
    context->done(one.first, std::move(one.second), std::move(failures));
  }

  actors::StageContext* context = nullptr;
  std::vector<std::pair<actors::Ticket, sdk::Batch>> held;
  int flushes = 0;
  int returned = 0;
};

}  // namespace millrace::test
