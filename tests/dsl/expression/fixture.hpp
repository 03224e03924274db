// What the tests of expressions share: nodes as the YAML reader makes them, and a record with known
// names.
#pragma once

#include "connectors/sdk/json.hpp"
#include "dsl/expression/compiler.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

namespace millrace::dsl::test {

inline sdk::Value json(std::string_view text) {
  auto value = sdk::parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : sdk::Value{};
}

inline sdk::ConfigNode scalar(std::string_view text, bool quoted = true) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::scalar;
  node.text = text;
  node.quoted = quoted;
  return node;
}

inline sdk::ConfigNode
mapping(std::initializer_list<std::pair<std::string, sdk::ConfigNode>> entries) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::mapping;
  for (const auto& [key, value] : entries)
    node.entries.push_back({key, {}, value});
  return node;
}

inline sdk::ConfigNode list(std::initializer_list<sdk::ConfigNode> items) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::sequence;
  node.items = items;
  return node;
}

class FixedClock final : public sdk::Clock {
public:
  sdk::Instant now() const noexcept override { return {}; }

  sdk::WallTime wall() const noexcept override {
    // 2026-05-31T10:20:30.123456Z
    return sdk::WallTime{std::chrono::microseconds{1780222830123456}};
  }
};

/// A record of the steps `receive-orders` and `score`, with what the source says about it.
class ExpressionTest : public ::testing::Test {
protected:
  ExpressionTest() {
    context.names = {{"receive-orders", 0}, {"score", 1}};
    context.meta = {{"receive-orders", 5}};
    context.out_of_reach = {"publish"};
    context.clock = &clock;
    context.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional{found->second};
    };
    record.set(0, json(R"({"id": 7, "total": 120.50, "country": "DE", "nothing": null,
      "lines": [{"sku": "a", "price": 1.10}, {"sku": "b", "price": 2}, {"sku": "c", "price": 30}]})"));
    record.set(1, json(R"({"loyaltyScore": 42})"));
    record.set(5, json(R"({"offset": 99, "topic": "orders"})"));
  }

  sdk::ExpressionPtr compile(const sdk::ConfigNode& node) {
    return Compiler{context}.compile(node, diagnostics);
  }

  /// The value as JSON, or "error: …", or the diagnostics.
  std::string run(const sdk::ConfigNode& node) { return run(compile(node)); }

  std::string run(std::string_view text) { return run(scalar(text)); }

  std::string run(const sdk::ExpressionPtr& expression) {
    if (!expression)
      return mistakes();
    const auto value = expression->evaluate({.record = &record, .result = &result});
    return value ? sdk::to_json(*value) : "error: " + value.error().to_string();
  }

  std::string test(std::string_view condition) {
    const auto compiled = Compiler{context}.compile_condition(scalar(condition), diagnostics);
    if (!compiled)
      return mistakes();
    const auto truth = compiled->test({.record = &record, .result = &result});
    return truth ? (*truth ? "true" : "false") : "error: " + truth.error().to_string();
  }

  /// The diagnostics so far, without the last line break.
  std::string mistakes() {
    auto text = std::exchange(diagnostics, {}).to_string();
    return text.substr(0, text.find_last_not_of('\n') + 1);
  }

  std::map<std::string, std::string> environment;
  FixedClock clock;
  CompileContext context;
  sdk::Diagnostics diagnostics;
  sdk::Record record;
  sdk::Value result;
};

}  // namespace millrace::dsl::test
