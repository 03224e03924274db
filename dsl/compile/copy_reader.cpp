#include "dsl/compile/copy_reader.hpp"

#include "connectors/sdk/sql/identifier.hpp"
#include "dsl/compile/pipeline_compiler.hpp"
#include "dsl/sql/crud.hpp"

#include <algorithm>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;

class CopyReader {
public:
  explicit CopyReader(StepInput& in) : in_{in} {}

  std::shared_ptr<const CopyTarget> read() {
    auto& options = in_.options;
    options.required("table", table_, "Table, or schema.table");
    values_ = options.raw("values", "mapping of expressions",
                          "Columns and what is written into them: a row per record");
    options.optional("rows", target_.rows,
                     "Instead of `values`: a list that gives many rows per record, each an object "
                     "by column or a list of values");
    options.optional("columns", target_.names, "With `rows`: the columns");
    options.optional("maxRows|max_rows", target_.most,
                     "Most rows written at a time; what waits together is written together");
    options.check(target_.most >= 1 && target_.most <= 1'000'000, "maxRows",
                  "between 1 and 1000000");
    return in_.pipeline ? build() : nullptr;
  }

private:
  std::shared_ptr<const CopyTarget> build() {
    auto& diagnostics = in_.pipeline->diagnostics();
    const auto errors = diagnostics.error_count();
    if (values_ && in_.options.has("rows"))
      in_.options.error("rows", "a step has either 'values' or 'rows'");
    else if (values_)
      read_values();
    else if (!in_.options.has("rows"))
      in_.options.error("values", in_.options.owner() + " needs 'values', or 'rows' and 'columns'");
    else if (target_.names.empty())
      in_.options.error("columns", in_.options.owner() + " needs 'columns' beside 'rows'");
    take_table();
    for (const auto& name : target_.names) {
      if (name.empty() || std::ranges::count(target_.names, name) > 1)
        in_.options.error(values_ ? "values" : "columns",
                          name.empty() ? "a column has no name"
                                       : "the column '" + name + "' is named twice");
      target_.columns.push_back(sdk::sql::quote_identifier(name));
    }
    if (diagnostics.error_count() != errors)
      return nullptr;
    return std::make_shared<const CopyTarget>(std::move(target_));
  }

  void read_values() {
    if (!values_->is_mapping() || values_->entries.empty()) {
      in_.options.error("values", "'values' must be a mapping of columns to values, not "
                                    + values_->describe());
      return;
    }
    if (in_.options.has("columns"))
      in_.options.error("columns", "'columns' stands beside 'rows'; 'values' names its own");
    for (const auto& entry : values_->entries) {
      target_.names.push_back(entry.key);
      if (auto value = in_.pipeline->compile(entry.value, in_.pipeline->diagnostics()))
        target_.values.push_back(std::move(value));
    }
  }

  void take_table() {
    if (table_.empty())
      return;
    auto quoted = quote_table(table_);
    if (quoted)
      target_.table = std::move(*quoted);
    else
      in_.options.error("table", quoted.error().message(), quoted.error().hint());
  }

  StepInput& in_;
  CopyTarget target_;
  std::string table_;
  const ConfigNode* values_ = nullptr;
};

}  // namespace

std::shared_ptr<const CopyTarget> read_copy_target(StepInput& in) {
  return CopyReader{in}.read();
}

}  // namespace millrace::dsl
