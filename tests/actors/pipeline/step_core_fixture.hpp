// A StepCore between a stage that holds what it gets and a scripted host.
#pragma once

#include "actors/pipeline/fake_step_host.hpp"
#include "actors/pipeline/step_core.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

class Outcomes final : public sdk::SettleListener {
public:
  void on_settled(const std::shared_ptr<sdk::Receipt>& receipt) noexcept override {
    for (const auto& settled : receipt->take_settled()) {
      for (std::uint32_t i = 0; i < settled.count; ++i) {
        const auto name = receipt->lane()->name() + ":"
                          + std::to_string(receipt->first_sequence() + settled.first + i);
        of[name] = settled.outcome;
        if (settled.failure)
          why = settled.failure;
      }
    }
  }

  std::map<std::string, sdk::Outcome> of;
  sdk::FailureNotePtr why;
};

// True for the records whose slot 0 is even.
class EvenCondition final : public sdk::Condition {
public:
  sdk::Result<bool> test(const sdk::Scope& scope) const override {
    return scope.record->get(0).as_integer() % 2 == 0;
  }

  std::string text() const override { return "even"; }
};

// {n: the result}, or an error where the result is null.
class ResultExpression final : public sdk::Expression {
public:
  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    if (scope.result->is_null())
      return sdk::Error{sdk::ErrorKind::expression, "there is no result"};
    return *scope.result;
  }

  std::string text() const override { return "$"; }
};

class StepCoreTest : public testing::Test {
protected:
  StepCoreTest() {
    program.name = "score";
    program.output = 1;
    program.errors.error_slot = 2;
  }

  void start() {
    actors::StepCore::Settings settings;
    settings.name = program.name;
    settings.step = &program;
    settings.errors = &program.errors;
    settings.convictions = &convictions;
    settings.clock = &clock;
    settings.log = &sdk::silent_log();
    settings.branches = branches;
    core.emplace(std::move(settings), host);
    auto made = std::make_unique<HoldingStage>();
    stage = made.get();
    ASSERT_TRUE(core->start(std::move(made)));
  }

  sdk::Batch batch(const sdk::LanePtr& lane, std::uint32_t count) {
    auto& next = sequences[lane.get()];
    auto receipt = sdk::Receipt::make(lane, lane->attempt(), next, count,
                                      sdk::Receipt::Report::each, outcomes);
    sdk::Batch result{lane, lane->attempt()};
    std::vector<sdk::Record> records;
    for (std::uint32_t i = 0; i < count; ++i) {
      auto& record = records.emplace_back();
      record.sequence = next++;
      record.set(0, sdk::Value{static_cast<std::int64_t>(record.sequence)});
    }
    result.add(std::move(records), receipt->acknowledgement());
    return result;
  }

  dsl::ErrorRule& rule(dsl::ErrorAction then, std::vector<std::string> match = {}) {
    dsl::ErrorRule added;
    added.match = std::move(match);
    added.then = then;
    program.errors.rules.push_back(std::move(added));
    return program.errors.rules.back();
  }

  static sdk::Error retryable() {
    sdk::Error::Detail detail;
    detail.code = "40001";
    detail.retryable = true;
    return sdk::Error{sdk::ErrorKind::transaction, "conflict", std::move(detail)};
  }

  static sdk::Error permanent() {
    sdk::Error::Detail detail;
    detail.code = "23505";
    return sdk::Error{sdk::ErrorKind::execution, "duplicate key", std::move(detail)};
  }

  void wait_for_retry() {
    ASSERT_TRUE(host.wake);
    clock.advance(*std::exchange(host.wake, std::nullopt) - clock.now());
    core->on_wake();
  }

  sdk::LanePtr a = std::make_shared<sdk::Lane>("a");
  sdk::LanePtr b = std::make_shared<sdk::Lane>("b");
  std::map<const sdk::Lane*, std::uint64_t> sequences;
  std::shared_ptr<Outcomes> outcomes = std::make_shared<Outcomes>();
  dsl::StepProgram program;
  std::size_t branches = 0;
  actors::Convictions convictions;
  ScriptedClock clock;
  FakeStepHost host;
  HoldingStage* stage = nullptr;
  std::optional<actors::StepCore> core;
};

}  // namespace millrace::test
