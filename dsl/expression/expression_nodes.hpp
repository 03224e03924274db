// The kinds of compiled expressions. Internal to dsl/expression; everybody else sees
// sdk::Expression.
#pragma once

#include "connectors/sdk/expression.hpp"
#include "dsl/expression/binding.hpp"
#include "dsl/expression/compiler.hpp"
#include "dsl/expression/function_table.hpp"
#include "dsl/expression/jsonpath_ast.hpp"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace millrace::dsl {

/// What the compiler knows of every expression besides its meaning.
class CompiledExpression : public sdk::Expression {
public:
  std::string text() const override { return text_; }

  bool is_secret() const noexcept override { return secret_; }

  const std::set<sdk::Slot>& reads() const noexcept { return reads_; }

  virtual bool never_fails() const noexcept { return false; }

  void set_text(std::string text) { text_ = std::move(text); }

  void set_secret(bool secret) noexcept { secret_ = secret; }

  void set_reads(std::set<sdk::Slot> reads) { reads_ = std::move(reads); }

private:
  std::string text_;
  bool secret_ = false;
  std::set<sdk::Slot> reads_;
};

class ConstantExpression final : public CompiledExpression {
public:
  explicit ConstantExpression(sdk::Value value) : value_{std::move(value)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope&) const override { return value_; }

  const sdk::Value* constant() const noexcept override { return &value_; }

  bool never_fails() const noexcept override { return true; }

private:
  sdk::Value value_;
};

/// What a path that selects nothing, or several, gives.
struct Missing {
  sdk::ExpressionPtr fallback;  // null: there is no default
  bool required = false;
  bool all = false;  // an array of what is selected
};

/// Names and indexes from a slot, or from the result: the path that nearly every expression is.
/// Allocates nothing.
class SlotPath final : public CompiledExpression {
public:
  /// `query` is singular, and bound unless its root is the result.
  SlotPath(const jsonpath::Query& query, Missing missing);
  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override;

  bool never_fails() const noexcept override { return !missing_.required && !missing_.fallback; }

private:
  struct Step {
    bool is_name = false;
    bool fold_case = false;
    sdk::Value name;
    std::int64_t index = 0;
  };

  sdk::Slot slot_;
  std::vector<Step> steps_;
  Missing missing_;
};

/// Any other path.
class PathExpression final : public CompiledExpression {
public:
  PathExpression(jsonpath::Query query, Missing missing, RootNamesPtr names)
    : query_{std::move(query)}, missing_{std::move(missing)}, names_{std::move(names)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override;

private:
  jsonpath::Query query_;
  Missing missing_;
  RootNamesPtr names_;
};

class CallExpression final : public CompiledExpression {
public:
  CallExpression(const FunctionInfo& function, std::vector<sdk::ExpressionPtr> arguments,
                 const sdk::Clock& clock)
    : function_{function}, arguments_{std::move(arguments)}, clock_{clock} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override;

  const FunctionInfo& function() const noexcept { return function_; }

private:
  const FunctionInfo& function_;
  std::vector<sdk::ExpressionPtr> arguments_;
  const sdk::Clock& clock_;
};

class ArrayExpression final : public CompiledExpression {
public:
  explicit ArrayExpression(std::vector<sdk::ExpressionPtr> items) : items_{std::move(items)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override;

private:
  std::vector<sdk::ExpressionPtr> items_;
};

class ObjectExpression final : public CompiledExpression {
public:
  using Entry = std::pair<std::string, sdk::ExpressionPtr>;

  explicit ObjectExpression(std::vector<Entry> entries) : entries_{std::move(entries)} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override;

private:
  std::vector<Entry> entries_;
};

/// Text with values put in.
class TemplateExpression final : public CompiledExpression {
public:
  struct Part {
    std::string text;           // stands as it is
    sdk::ExpressionPtr insert;  // behind it; null at the end
  };

  TemplateExpression(std::vector<Part> parts, sdk::TextUse use)
    : parts_{std::move(parts)}, use_{use} {}

  sdk::Result<sdk::Value> evaluate(const sdk::Scope& scope) const override;

private:
  std::vector<Part> parts_;
  sdk::TextUse use_;
};

class CompiledCondition final : public sdk::Condition {
public:
  CompiledCondition(jsonpath::Logical logical, RootNamesPtr names, std::string text,
                    std::set<sdk::Slot> reads)
    : logical_{std::move(logical)},
      names_{std::move(names)},
      text_{std::move(text)},
      reads_{std::move(reads)} {}

  sdk::Result<bool> test(const sdk::Scope& scope) const override;

  std::string text() const override { return text_; }

  const std::set<sdk::Slot>& reads() const noexcept { return reads_; }

private:
  jsonpath::Logical logical_;
  RootNamesPtr names_;
  std::string text_;
  std::set<sdk::Slot> reads_;
};

}  // namespace millrace::dsl
