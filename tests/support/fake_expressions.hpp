// FakeCompiler: expressions for tests of connectors, without dsl/: `$.a` and the template `${$.a}`
// mean the member `a` of slot 0; everything else is the text itself.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/json.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace millrace::test {

class FakeExpression final : public sdk::Expression {
public:
  using Function = std::function<sdk::Result<sdk::Value>(const sdk::Record&)>;

  explicit FakeExpression(Function function) : function_{std::move(function)} {}

  explicit FakeExpression(sdk::Value value) : constant_{std::move(value)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    return function_ ? function_(*scope.record) : sdk::Result<sdk::Value>{constant_};
  }

  const sdk::Value* constant() const noexcept override { return function_ ? nullptr : &constant_; }

  std::string text() const override { return "<test>"; }

private:
  Function function_;
  sdk::Value constant_;
};

class FakeCompiler final : public sdk::ExpressionCompiler {
public:
  sdk::ExpressionPtr compile(const sdk::ConfigNode& node, sdk::Diagnostics&) override {
    if (node.text.starts_with("$."))
      return std::make_shared<FakeExpression>(
        [name = node.text.substr(2)](const sdk::Record& record) { return member(record, name); });
    return std::make_shared<FakeExpression>(sdk::Value{node.text});
  }

  sdk::ExpressionPtr compile_text_for(sdk::TextUse, const sdk::ConfigNode& node,
                                      sdk::Diagnostics&) override {
    const auto start = node.text.find("${$.");
    if (start == std::string::npos)
      return std::make_shared<FakeExpression>(sdk::Value{node.text});
    const auto end = node.text.find('}', start);
    return std::make_shared<FakeExpression>(
      [before = node.text.substr(0, start), name = node.text.substr(start + 4, end - start - 4),
       after = node.text.substr(end + 1)](const sdk::Record& record) -> sdk::Result<sdk::Value> {
        auto value = member(record, name);
        if (!value)
          return value;
        const std::string text = value->is_string() ? std::string{value->as_string()}
                                                    : sdk::to_json(*value);
        return sdk::Value{before + text + after};
      });
  }

  sdk::ConditionPtr compile_condition(const sdk::ConfigNode&, sdk::Diagnostics&) override {
    return nullptr;
  }

private:
  static sdk::Result<sdk::Value> member(const sdk::Record& record, const std::string& name) {
    if (const sdk::Value* found = record.get(0).find(name))
      return *found;
    return sdk::Error{sdk::ErrorKind::expression, "no member '" + name + "'"};
  }
};

}  // namespace millrace::test
