// FakeEvents: the engine's side of a source, for tests: keeps what was emitted and hands out
// credit.
//
//   FakeEvents events;
//   source->start(events.context());
//   ASSERT_TRUE(events.wait_for_end());
//   EXPECT_EQ(events.payloads(), (std::vector<std::string>{R"({"id":1})"}));
#pragma once

#include "connectors/sdk/json.hpp"
#include "connectors/sdk/source.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

class FakeEvents final : public sdk::SourceEvents {
public:
  static constexpr sdk::Slot output = 0;
  static constexpr sdk::Slot meta = 1;
  static constexpr std::chrono::seconds patience{20};

  void emit(sdk::Intake intake) override {
    const std::lock_guard lock{mutex_};
    credit_ -= static_cast<std::int64_t>(intake.records.size());
    records_ += intake.records.size();
    most_ = std::max(most_, intake.records.size());
    late_ = late_ || ended_;
    if (keep_)
      intakes_.push_back(std::move(intake));
    changed_.notify_all();
  }

  void end() override {
    const std::lock_guard lock{mutex_};
    late_ = late_ || ended_;
    ended_ = true;
    changed_.notify_all();
  }

  void fail(sdk::Error error) override {
    const std::lock_guard lock{mutex_};
    failed_ = std::move(error);
    ended_ = true;
    changed_.notify_all();
  }

  bool has_credit() const noexcept override {
    const std::lock_guard lock{mutex_};
    return credit_ > 0;
  }

  bool wait_for_credit() override {
    std::unique_lock lock{mutex_};
    waiting_ = credit_ <= 0;
    changed_.notify_all();
    changed_.wait(lock, [this] { return credit_ > 0 || stopped_; });
    waiting_ = false;
    return !stopped_;
  }

  void when_credit(std::function<void()> resume) override { resume(); }

  // --- for the test ---

  sdk::SourceContext context(bool once = true) {
    sdk::SourceContext context;
    context.pipeline = "test";
    context.name = "in";
    context.output = output;
    context.events = this;
    context.log = &sdk::silent_log();
    context.clock = &sdk::system_clock();
    context.once = once;
    return context;
  }

  /// Drops what is emitted; only counts stay.
  void only_count() { keep_ = false; }

  void set_credit(std::int64_t records) {
    const std::lock_guard lock{mutex_};
    credit_ = records;
    changed_.notify_all();
  }

  /// What the engine does before it stops a source.
  void stop() {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    changed_.notify_all();
  }

  bool wait_for_end() {
    return wait([this] { return ended_; });
  }

  bool wait_for_records(std::size_t count) {
    return wait([this, count] { return records_ >= count; });
  }

  bool wait_until_out_of_credit() {
    return wait([this] { return waiting_; });
  }

  std::size_t records() const {
    const std::lock_guard lock{mutex_};
    return records_;
  }

  std::size_t largest_intake() const {
    const std::lock_guard lock{mutex_};
    return most_;
  }

  bool ended() const {
    const std::lock_guard lock{mutex_};
    return ended_;
  }

  /// Whether something came after the end.
  bool late() const {
    const std::lock_guard lock{mutex_};
    return late_;
  }

  std::optional<sdk::Error> failed() const {
    const std::lock_guard lock{mutex_};
    return failed_;
  }

  /// To be looked at when the source has ended.
  const std::vector<sdk::Intake>& intakes() const { return intakes_; }

  /// The outputs of the records that are good, as JSON.
  std::vector<std::string> payloads() const { return outputs(false); }

  /// The raw texts of those that failed.
  std::vector<std::string> raw_texts() const { return outputs(true); }

  /// The messages of the failures.
  std::vector<std::string> errors() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> messages;
    for (const sdk::Intake& intake : intakes_)
      for (const sdk::Failure& failure : intake.failures)
        messages.push_back(failure.error.message());
    return messages;
  }

private:
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, condition);
  }

  std::vector<std::string> outputs(bool of_failures) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> found;
    for (const sdk::Intake& intake : intakes_) {
      auto failure = intake.failures.begin();
      for (std::size_t i = 0; i < intake.records.size(); ++i) {
        const bool bad = failure != intake.failures.end() && failure->index == i;
        if (bad)
          ++failure;
        const sdk::Value& value = intake.records[i].get(output);
        if (bad && of_failures)
          found.emplace_back(value.is_string() ? value.as_string() : "");
        else if (!bad && !of_failures)
          found.push_back(sdk::to_json(value));
      }
    }
    return found;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t credit_ = std::numeric_limits<std::int64_t>::max();
  std::vector<sdk::Intake> intakes_;
  std::optional<sdk::Error> failed_;
  std::size_t records_ = 0;
  std::size_t most_ = 0;
  bool keep_ = true;
  bool waiting_ = false;
  bool stopped_ = false;
  bool ended_ = false;
  bool late_ = false;
};

}  // namespace millrace::test
