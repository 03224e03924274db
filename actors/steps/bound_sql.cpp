#include "actors/steps/bound_sql.hpp"

#include <string_view>
#include <utility>

namespace millrace::actors {

namespace {

/// Which of `parameters` serves each entry of `statement`.
sdk::Result<std::vector<std::size_t>> order_of(const dsl::Statement& statement,
                                               const std::vector<dsl::Parameter>& parameters) {
  std::vector<std::size_t> order;
  if (statement.style == sdk::sql::PlaceholderStyle::named) {
    std::vector<std::string_view> names;
    names.reserve(parameters.size());
    for (const auto& parameter : parameters)
      names.push_back(parameter.name);
    return sdk::sql::match_parameter_names(statement, names);
  }
  if (auto fits = sdk::sql::check_parameter_list(statement, parameters.size()); !fits)
    return std::move(fits).error();
  for (std::size_t i = 0; i < parameters.size(); ++i)
    order.push_back(i);
  return order;
}

}  // namespace

BoundSql::BoundSql(std::string sql, std::vector<sdk::ExpressionPtr> values)
  : sql_{std::move(sql)}, values_{std::move(values)} {
}

sdk::Result<BoundSql> BoundSql::make(const dsl::Statement& statement,
                                     const std::vector<dsl::Parameter>& parameters,
                                     sdk::sql::Dialect dialect) {
  auto order = order_of(statement, parameters);
  if (!order)
    return std::move(order).error();
  std::vector<sdk::sql::DriverLiteral> literals;
  literals.reserve(order->size());
  for (const auto index : *order)
    literals.push_back(sdk::sql::parse_driver_literal(parameters[index].literal));
  auto sent = sdk::sql::rewrite(statement, literals, dialect);
  if (!sent)
    return std::move(sent).error();
  std::vector<sdk::ExpressionPtr> values;
  values.reserve(sent->binds.size());
  for (const auto entry : sent->binds)
    values.push_back(parameters[(*order)[entry]].value);
  return BoundSql{std::move(sent->sql), std::move(values)};
}

sdk::Parameters BoundSql::constants() const {
  sdk::Parameters out;
  for (const auto& value : values_) {
    const auto* constant = value ? value->constant() : nullptr;
    out.push_back(constant ? *constant : sdk::Value{});
  }
  return out;
}

sdk::Result<sdk::Parameters> BoundSql::parameters(const sdk::Record& record) const {
  sdk::Parameters out;
  out.reserve(values_.size());
  for (const auto& value : values_) {
    auto evaluated = value->evaluate({.record = &record});
    if (!evaluated)
      return std::move(evaluated).error();
    out.push_back(std::move(*evaluated));
  }
  return out;
}

}  // namespace millrace::actors
