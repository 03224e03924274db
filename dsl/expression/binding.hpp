// Binding: the names a path begins with become slots when it is compiled; only paths that need `$`
// as a whole build it when they run.
#pragma once

#include "connectors/sdk/expression.hpp"
#include "dsl/expression/context.hpp"
#include "dsl/expression/jsonpath_ast.hpp"
#include "dsl/expression/jsonpath_select.hpp"
#include "dsl/expression/text_cursor.hpp"

#include <memory>
#include <set>

namespace millrace::dsl {

/// What expressions keep of their context.
struct RootNames {
  std::vector<SlotName> names;
  std::vector<SlotName> meta;
  bool result_root = false;
};

using RootNamesPtr = std::shared_ptr<const RootNames>;

/// Binds every path from `$` in `query` and in its filters, and notes the slots they read. @returns
/// false after it has noted an unknown name at `cursor`.
bool bind(jsonpath::Query& query, const CompileContext& context, std::set<sdk::Slot>& reads,
          TextCursor& cursor);
bool bind(jsonpath::Logical& logical, const CompileContext& context, std::set<sdk::Slot>& reads,
          TextCursor& cursor);

/// `$` over a record or a result while an expression runs.
class ScopeRoot final : public jsonpath::Root {
public:
  ScopeRoot(const sdk::Scope& scope, const RootNames& names) noexcept
    : scope_{scope}, names_{names} {}

  const sdk::Value& whole() override;

  const sdk::Value& slot(sdk::Slot slot) override { return scope_.record->get(slot); }

private:
  const sdk::Scope& scope_;
  const RootNames& names_;
  bool built_ = false;
  sdk::Value context_;
};

}  // namespace millrace::dsl
