// A stage without an actor: everything it asks for is kept, and time and tasks are run by the test.
#pragma once

#include "actors/pipeline/stage.hpp"
#include "connectors/sdk/json.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::actors {

/// An expression or condition of the test's own.
class TestExpression final : public sdk::Expression {
public:
  explicit TestExpression(std::function<sdk::Result<sdk::Value>(const sdk::Scope&)> function)
    : function_{std::move(function)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    return function_(scope);
  }

  std::string text() const override { return "$.test"; }

private:
  std::function<sdk::Result<sdk::Value>(const sdk::Scope&)> function_;
};

class TestCondition final : public sdk::Condition {
public:
  explicit TestCondition(std::function<bool(const sdk::Record&)> function)
    : function_{std::move(function)} {}

  sdk::Result<bool> test(const sdk::Scope& scope) const override {
    return function_(*scope.record);
  }

  std::string text() const override { return "$.test"; }

private:
  std::function<bool(const sdk::Record&)> function_;
};

inline sdk::ExpressionPtr slot_value(sdk::Slot slot) {
  return std::make_shared<TestExpression>(
    [slot](const sdk::Scope& scope) -> sdk::Result<sdk::Value> {
      const auto& value = scope.record->get(slot);
      if (value.is_string() && value.as_string() == "broken")
        return sdk::Error{sdk::ErrorKind::data, "broken"};
      return value;
    });
}

inline sdk::ConditionPtr slot_is_at_least(sdk::Slot slot, std::int64_t least) {
  return std::make_shared<TestCondition>(
    [slot, least](const sdk::Record& record) { return record.get(slot).as_integer() >= least; });
}

class ScriptedClock final : public sdk::Clock {
public:
  sdk::Instant now() const noexcept override { return now_; }

  sdk::WallTime wall() const noexcept override { return {}; }

  void pass(std::chrono::nanoseconds time) { now_ += time; }

private:
  sdk::Instant now_{std::chrono::hours{1}};
};

/// One source's side of the story: what became of each record that was sent in.
class Account final : public sdk::SettleListener {
public:
  void on_settled(const std::shared_ptr<sdk::Receipt>& receipt) noexcept override {
    for (const auto& settled : receipt->take_settled()) {
      for (std::uint32_t i = 0; i < settled.count; ++i)
        outcomes[receipt->first_sequence() + settled.first + i] = std::string{
          to_string(settled.outcome)};
    }
  }

  std::map<std::uint64_t, std::string> outcomes;  // by sequence
};

class StageFixture : public testing::Test, protected StageContext {
protected:
  struct Done {
    Ticket ticket;
    sdk::Batch batch;
    std::vector<sdk::Failure> failures;
  };

  struct Sent {
    std::size_t branch;
    sdk::Batch batch;
  };

  void start(StagePtr stage) {
    stage_ = std::move(stage);
    ASSERT_TRUE(stage_->start(*this));
  }

  /// Sends records in whose slot 0 holds `values`; sequences rise.
  Ticket process(std::vector<sdk::Value> values) {
    auto receipt = sdk::Receipt::make(lane_, lane_->attempt(), sequence_,
                                      static_cast<std::uint32_t>(values.size()),
                                      sdk::Receipt::Report::each, account_);
    std::vector<sdk::Record> records;
    for (auto& value : values) {
      records.emplace_back();
      records.back().sequence = sequence_++;
      records.back().set(0, std::move(value));
    }
    sdk::Batch batch{lane_, lane_->attempt()};
    batch.add(std::move(records), receipt->acknowledgement());
    const auto ticket = next_ticket_++;
    stage_->process(std::move(batch), ticket);
    return ticket;
  }

  /// The next batch sent into nested steps; `map` says what each of its records becomes.
  Sent take_sent() {
    auto sent = std::move(sent_.front());
    sent_.pop_front();
    return sent;
  }

  void send_back(Sent sent) { stage_->on_return(sent.branch, std::move(sent.batch)); }

  /// Slot `slot` of all that was given back or emitted so far, in order.
  std::string out(sdk::Slot slot) const {
    auto all = sdk::Value::array();
    for (const auto& batch : out_) {
      for (const auto& record : batch->records())
        all.push_back(record.get(slot));
    }
    return sdk::to_json(all);
  }

  std::vector<std::string> failures() const {
    std::vector<std::string> texts;
    for (const auto& done : done_) {
      for (const auto& failure : done.failures)
        texts.push_back(std::to_string(failure.index) + " " + failure.error.message());
    }
    return texts;
  }

  /// Settles all that went out.
  void settle_out(sdk::Outcome outcome) {
    for (auto* batch : out_)
      batch->settle(outcome);
    out_.clear();
    run_tasks();
  }

  void run_tasks() {
    while (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

  void pass(std::chrono::nanoseconds time) {
    clock_.pass(time);
    while (!timers_.empty() && timers_.begin()->first <= clock_.now()) {
      const auto token = timers_.begin()->second;
      timers_.erase(timers_.begin());
      stage_->on_timer(token);
    }
  }

  std::string outcome(std::uint64_t sequence) const {
    const auto found = account_->outcomes.find(sequence);
    return found == account_->outcomes.end() ? "open" : found->second;
  }

  void done(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures) override {
    done_.push_back({ticket, std::move(batch), std::move(failures)});
    out_.push_back(&done_.back().batch);
  }

  void give(Ticket, sdk::Batch batch, std::vector<sdk::Failure>) override {
    emit(std::move(batch));
  }

  void emit(sdk::Batch batch) override {
    emitted_.push_back(std::move(batch));
    out_.push_back(&emitted_.back());
  }

  void send(std::size_t branch, sdk::Batch batch) override {
    sent_.push_back({branch, std::move(batch)});
  }

  std::size_t room() const noexcept override { return room_; }

  void after(std::chrono::nanoseconds delay, std::uint64_t token) override {
    timers_.emplace(clock_.now() + delay, token);
  }

  StagePost post() override {
    return [this](std::function<void()> task) { tasks_.push_back(std::move(task)); };
  }

  const sdk::Clock& clock() const noexcept override { return clock_; }

  sdk::Log& log() const noexcept override { return sdk::silent_log(); }

  std::shared_ptr<Account> account_ = std::make_shared<Account>();
  sdk::LanePtr lane_ = std::make_shared<sdk::Lane>("lane");
  ScriptedClock clock_;
  std::size_t room_ = 1000;
  std::deque<Done> done_;  // deques: out_ points into them
  std::deque<sdk::Batch> emitted_;
  std::deque<sdk::Batch*> out_;
  std::deque<Sent> sent_;
  std::deque<std::function<void()>> tasks_;
  std::multimap<sdk::Instant, std::uint64_t> timers_;
  std::uint64_t sequence_ = 0;
  Ticket next_ticket_ = 1;
  dsl::StepProgram step_;
  StagePtr stage_;  // goes first: its parts may still post
};

}  // namespace millrace::actors
