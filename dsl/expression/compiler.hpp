// Compiler: what users write where an option takes an expression, to something that steps evaluate.
//
//   Compiler compiler{context};
//   auto score = compiler.compile(node, diagnostics);            //
//   "$.receive-orders.lines[0].price" if (score) auto value = score->evaluate({.record = &record});
//
// A scalar that begins with `$` is a path, `name(…)` a call, text with `${…}` a template; other
// scalars are themselves; lists and mappings are built member by member. `{literal: …}` is taken as
// it stands, and
// `{path: …, default: …, required: …, all: …}` says what a path that selects nothing, or several,
// gives.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "dsl/expression/context.hpp"

#include <memory>
#include <set>

namespace millrace::dsl {

struct RootNames;
class CompiledExpression;
class TextCursor;

class Compiler final : public sdk::ExpressionCompiler {
public:
  /// `context` must outlive the compiler, not the expressions.
  explicit Compiler(const CompileContext& context) noexcept : context_{context} {}

  sdk::ExpressionPtr compile(const sdk::ConfigNode& node, sdk::Diagnostics& diagnostics) override;
  sdk::ExpressionPtr compile_text_for(sdk::TextUse use, const sdk::ConfigNode& node,
                                      sdk::Diagnostics& diagnostics) override;
  sdk::ConditionPtr compile_condition(const sdk::ConfigNode& node,
                                      sdk::Diagnostics& diagnostics) override;

private:
  using Compiled = std::shared_ptr<CompiledExpression>;

  Compiled any(const sdk::ConfigNode& node, sdk::Diagnostics& diagnostics);
  Compiled scalar(const sdk::ConfigNode& node, sdk::Diagnostics& diagnostics);
  Compiled list(const sdk::ConfigNode& node, sdk::Diagnostics& diagnostics);
  Compiled mapping(const sdk::ConfigNode& node, sdk::Diagnostics& diagnostics);
  Compiled path_mapping(const sdk::ConfigNode& node, sdk::Diagnostics& diagnostics);
  Compiled template_text(const sdk::ConfigNode& node, sdk::TextUse use,
                         sdk::Diagnostics& diagnostics);
  void report(const sdk::ConfigNode& node, std::string_view what, const TextCursor& cursor,
              sdk::Diagnostics& diagnostics) const;
  std::shared_ptr<const RootNames> names();

  const CompileContext& context_;
  std::shared_ptr<const RootNames> names_;
  std::set<sdk::Slot> reads_;
};

/// The slots that an expression or condition made by `Compiler` reads; empty for one of another
/// making.
std::set<sdk::Slot> slots_read(const sdk::Expression& expression);
std::set<sdk::Slot> slots_read(const sdk::Condition& condition);

/// Whether an expression gives a value for every record: a constant, or a path of names and indexes
/// that need not be there.
bool never_fails(const sdk::Expression& expression);

}  // namespace millrace::dsl
