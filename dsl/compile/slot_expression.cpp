#include "dsl/compile/slot_expression.hpp"

#include "connectors/sdk/json.hpp"

#include <utility>

namespace millrace::dsl {

namespace {

class SlotExpression final : public sdk::Expression {
public:
  SlotExpression(sdk::Slot slot, std::string text) : slot_{slot}, text_{std::move(text)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override {
    return scope.record->get(slot_);
  }

  std::string text() const override { return text_; }

private:
  sdk::Slot slot_;
  std::string text_;
};

class ConstantExpression final : public sdk::Expression {
public:
  explicit ConstantExpression(sdk::Value value) : value_{std::move(value)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope&) const override { return value_; }

  const sdk::Value* constant() const noexcept override { return &value_; }

  std::string text() const override { return sdk::to_json(value_); }

private:
  sdk::Value value_;
};

}  // namespace

sdk::ExpressionPtr slot_expression(sdk::Slot slot, std::string text) {
  return std::make_shared<const SlotExpression>(slot, std::move(text));
}

sdk::ExpressionPtr constant_expression(sdk::Value value) {
  return std::make_shared<const ConstantExpression>(std::move(value));
}

}  // namespace millrace::dsl
