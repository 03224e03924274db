#include "dsl/compile/crud_reader.hpp"

#include "dsl/compile/slot_expression.hpp"
#include "dsl/compile/statement_reader.hpp"

#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::sql::parse_statement;

class CrudReader {
public:
  CrudReader(StepInput& in, CrudOperation operation) : in_{in} { crud_.operation = operation; }

  std::optional<BoundStatement> read() {
    const auto operation = crud_.operation;
    const bool writes_values = operation != CrudOperation::remove
                               && operation != CrudOperation::select;
    const bool has_where = operation != CrudOperation::insert && operation != CrudOperation::upsert;
    in_.options.required("table", crud_.table, "Table, or schema.table");
    if (writes_values)
      values_ = in_.options.raw("values", "mapping of expressions",
                                "Columns and what is written into them", true);
    if (has_where)
      where_ = in_.options.raw("where", "mapping of expressions",
                               "Columns and what they must equal; null asks for IS NULL");
    if (operation == CrudOperation::upsert)
      in_.options.required("key", crud_.key, "Columns of the unique index that decides");
    if (operation == CrudOperation::update || operation == CrudOperation::remove)
      in_.options.optional("all", crud_.all,
                           "Every row is meant: without it an empty `where` is refused");
    if (operation == CrudOperation::select)
      read_select();
    else
      in_.options.optional("returning", crud_.returning,
                           "Columns of what was written that become `rows`");
    return in_.pipeline ? build() : std::nullopt;
  }

private:
  void read_select() {
    std::vector<std::string> order;
    in_.options.optional("columns", crud_.columns, "Columns; default: all");
    in_.options.optional("orderBy|order_by", order, "Columns, each perhaps with ` desc`");
    in_.options.optional("limit", limit_, "Most rows");
    in_.options.optional("offset", offset_, "Rows left out at the beginning");
    for (auto& column : order) {
      const bool descending = column.ends_with(" desc");
      if (descending)
        column.resize(column.size() - 5);
      crud_.order.push_back({column, descending});
    }
    crud_.limit = limit_ != nullptr;
    crud_.offset = offset_ != nullptr;
  }

  bool is_mapping(const ConfigNode* node, std::string_view name) {
    if (!node || node->is_mapping())
      return node != nullptr;
    in_.options.error(name, "'" + std::string{name}
                              + "' must be a mapping of columns to values, not "
                              + node->describe());
    return false;
  }

  std::optional<BoundStatement> build() {
    auto& diagnostics = in_.pipeline->diagnostics();
    const auto errors = diagnostics.error_count();
    StatementReader reader{*in_.pipeline, in_.options.owner()};
    BoundStatement bound;
    auto bind = [&](const ConfigNode& node) {
      if (auto parameter = reader.read_entry(node))
        bound.parameters.push_back(std::move(*parameter));
    };
    if (is_mapping(values_, "values")) {
      for (const auto& entry : values_->entries) {
        crud_.values.push_back(entry.key);
        bind(entry.value);
      }
    }
    if (is_mapping(where_, "where")) {
      for (const auto& entry : where_->entries) {
        const bool null = entry.value.is_null();
        crud_.where.push_back({entry.key, null});
        if (!null)
          bind(entry.value);
      }
    }
    for (const auto& count : {limit_, offset_}) {
      if (count)
        bound.parameters.push_back({{}, count, {}});
    }
    if (diagnostics.error_count() != errors || crud_.table.empty())
      return std::nullopt;
    const auto sql = build_crud(crud_);
    if (!sql)
      return refuse(sql.error());
    auto statement = parse_statement(*sql);
    if (!statement)
      return refuse(statement.error());
    bound.sql = std::make_shared<const Statement>(std::move(*statement));
    return bound;
  }

  std::nullopt_t refuse(const sdk::Error& error) {
    const auto shown = in_.options.node().holds_secret() ? error.masked() : error;
    in_.pipeline->diagnostics().error(in_.step.place, in_.options.owner() + ": " + shown.message(),
                                      shown.hint());
    return std::nullopt;
  }

  StepInput& in_;
  Crud crud_;
  const ConfigNode* values_ = nullptr;
  const ConfigNode* where_ = nullptr;
  sdk::ExpressionPtr limit_;
  sdk::ExpressionPtr offset_;
};

}  // namespace

std::optional<BoundStatement> read_crud_statement(StepInput& in, CrudOperation operation) {
  return CrudReader{in, operation}.read();
}

}  // namespace millrace::dsl
