#include "dsl/sql/eval.hpp"

#include "connectors/sdk/sql/placeholder.hpp"

#include <utility>
#include <vector>

namespace millrace::dsl {

namespace {

using sdk::sql::check_parameter_list;
using sdk::sql::Dialect;
using sdk::sql::driver_literal;
using sdk::sql::DriverLiteral;
using sdk::sql::match_parameter_names;
using sdk::sql::parse_statement;
using sdk::sql::refuse_templates;
using sdk::sql::rewrite;
using sdk::sql::Statement;

DriverLiteral literal_of(const sdk::Value& entry) {
  return entry.is_string() ? driver_literal(entry.as_string()) : DriverLiteral::none;
}

sdk::Result<std::vector<DriverLiteral>> literals_of_list(const Statement& statement,
                                                         const sdk::Value& parameters) {
  if (auto fits = check_parameter_list(statement, parameters.size()); !fits)
    return std::move(fits).error();
  std::vector<DriverLiteral> literals;
  for (const auto& entry : parameters.items())
    literals.push_back(literal_of(entry));
  return literals;
}

sdk::Result<std::vector<DriverLiteral>> literals_of_mapping(const Statement& statement,
                                                            const sdk::Value& parameters) {
  std::vector<std::string_view> keys;
  for (const auto& member : parameters.members())
    keys.push_back(member.name.as_string());
  auto places = match_parameter_names(statement, keys);
  if (!places)
    return std::move(places).error();
  std::vector<DriverLiteral> literals;
  for (const auto place : *places)
    literals.push_back(literal_of(parameters.members()[place].value));
  return literals;
}

sdk::Result<std::vector<DriverLiteral>> literals_of(const Statement& statement,
                                                    const std::optional<sdk::Value>& parameters) {
  if (!parameters)
    return std::vector<DriverLiteral>(statement.parameter_count, DriverLiteral::none);
  if (parameters->kind() == sdk::ValueKind::array)
    return literals_of_list(statement, *parameters);
  if (parameters->is_object())
    return literals_of_mapping(statement, *parameters);
  return sdk::Error{sdk::ErrorKind::execution, "parameters must be a list or a mapping, not "
                                                 + std::string{to_string(parameters->kind())}};
}

}  // namespace

sdk::Result<EvaluatedSql> eval_sql(std::string_view text,
                                   const std::optional<sdk::Value>& parameters) {
  if (auto plain = refuse_templates(text); !plain)
    return std::move(plain).error();
  auto statement = parse_statement(text);
  if (!statement)
    return std::move(statement).error();
  auto literals = literals_of(*statement, parameters);
  if (!literals)
    return std::move(literals).error();
  auto sent = rewrite(*statement, *literals, Dialect::postgres);
  if (!sent)
    return std::move(sent).error();
  return EvaluatedSql{std::move(sent->sql), sent->binds.size()};
}

}  // namespace millrace::dsl
