#include "dsl/compile/statement_reader.hpp"

#include <utility>

namespace millrace::dsl {

using sdk::ConfigNode;
using sdk::sql::check_parameter_list;
using sdk::sql::driver_literal;
using sdk::sql::DriverLiteral;
using sdk::sql::match_parameter_names;
using sdk::sql::parse_statement;
using sdk::sql::PlaceholderStyle;
using sdk::sql::StatementKind;

namespace {

constexpr std::string_view bind_hint = "write ? and put the value into 'parameters'";

}  // namespace

std::shared_ptr<const Statement> StatementReader::parse(const ConfigNode& query) {
  auto& diagnostics = pipeline_.diagnostics();
  if (!query.is_scalar()) {
    diagnostics.error(query.place, "'query' must be SQL text, not " + query.describe());
    return nullptr;
  }
  if (query.find_template() != std::string::npos) {
    diagnostics.error(query.place, "'query' takes no '${…}': it would let values become SQL",
                      std::string{bind_hint});
    return nullptr;
  }
  if (query.text.starts_with("$.") || query.text.starts_with("$[")) {
    diagnostics.error(query.place, "'query' is a path, not SQL",
                      "write query: {path: \"…\"} and allowDynamicSql: true, if the SQL really "
                      "comes with the record");
    return nullptr;
  }
  auto statement = parse_statement(query.text);
  if (!statement) {
    const auto error = query.secret ? statement.error().masked() : statement.error();
    diagnostics.error(query.place, "'query': " + error.message(), error.hint());
    return nullptr;
  }
  if (statement->classification.kind == StatementKind::transaction) {
    diagnostics.error(
      query.place, "'query' must not be " + statement->classification.keyword,
      "use the operations beginSql, commitSql, rollbackSql, savepoint, rollbackTo or transaction");
    return nullptr;
  }
  return std::make_shared<const Statement>(std::move(*statement));
}

std::optional<Parameter> StatementReader::read_entry(const ConfigNode& node, std::string name) {
  Parameter parameter;
  parameter.name = std::move(name);
  if (node.is_scalar() && !node.is_text) {
    if (const auto literal = driver_literal(node.text); literal != DriverLiteral::none) {
      parameter.literal = to_string(literal);
      return parameter;
    }
  }
  parameter.value = pipeline_.compile(node, pipeline_.diagnostics());
  if (!parameter.value)
    return std::nullopt;
  return parameter;
}

std::vector<Parameter> StatementReader::read_list(const ConfigNode& parameters) {
  std::vector<Parameter> list;
  if (!parameters.is_sequence()) {
    pipeline_.diagnostics().error(parameters.place,
                                  "'parameters' must be a list here, not " + parameters.describe());
    return list;
  }
  for (const auto& item : parameters.items) {
    if (auto parameter = read_entry(item))
      list.push_back(std::move(*parameter));
  }
  return list;
}

void StatementReader::missing_parameters(const Statement& statement, const ConfigNode& query) {
  if (statement.parameter_count == 0)
    return;
  const auto count = std::to_string(statement.parameter_count);
  pipeline_.diagnostics().error(
    query.place,
    owner_ + " needs 'parameters': its query has " + count
      + (statement.parameter_count == 1 ? " placeholder" : " placeholders"),
    statement.style == PlaceholderStyle::named ? "a mapping of their names to values"
                                               : "a list with one entry for each");
}

void StatementReader::read_names(const Statement& statement, const ConfigNode& parameters,
                                 BoundStatement& bound) {
  std::vector<std::string_view> keys;
  for (const auto& entry : parameters.entries)
    keys.push_back(entry.key);
  const auto order = match_parameter_names(statement, keys);
  if (!order) {
    pipeline_.diagnostics().error(parameters.place, order.error().message(), order.error().hint());
    return;
  }
  for (const auto index : *order) {
    const auto& entry = parameters.entries[index];
    if (auto parameter = read_entry(entry.value, entry.key))
      bound.parameters.push_back(std::move(*parameter));
  }
}

std::optional<BoundStatement> StatementReader::read(const ConfigNode& query,
                                                    const ConfigNode* parameters) {
  auto& diagnostics = pipeline_.diagnostics();
  const auto errors = diagnostics.error_count();
  BoundStatement bound;
  bound.sql = parse(query);
  if (!bound.sql) {
    if (parameters && parameters->is_sequence())
      read_list(*parameters);  // for the mistakes in them
    return std::nullopt;
  }
  if (!parameters) {
    missing_parameters(*bound.sql, query);
  } else if (parameters->is_mapping()) {
    if (bound.sql->style == PlaceholderStyle::named || bound.sql->parameter_count == 0)
      read_names(*bound.sql, *parameters, bound);
    else
      diagnostics.error(parameters->place, "a query with "
                                             + std::string{to_string(bound.sql->style)}
                                             + " takes a list of parameters, not a mapping");
  } else if (parameters->is_sequence()) {
    const auto fits = check_parameter_list(*bound.sql, parameters->items.size());
    if (!fits)
      diagnostics.error(parameters->place, fits.error().message(), fits.error().hint());
    bound.parameters = read_list(*parameters);
  } else {
    diagnostics.error(parameters->place,
                      "'parameters' must be a list for ?, or a mapping for :name, not "
                        + parameters->describe(),
                      "[] where there are none");
  }
  if (diagnostics.error_count() != errors)
    return std::nullopt;
  return bound;
}

}  // namespace millrace::dsl
