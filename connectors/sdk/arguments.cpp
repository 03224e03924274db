#include "connectors/sdk/arguments.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace millrace::sdk {

namespace {

Error refused(std::string message, std::string hint = {}) {
  return {ErrorKind::execution, std::move(message), {.hint = std::move(hint), .code = "07001"}};
}

// Which entry of `arguments` serves each entry of the statement.
Result<std::vector<std::size_t>> order_of(const sql::Statement& statement,
                                          const Arguments& arguments) {
  if (arguments.names().empty()) {
    if (auto fits = sql::check_parameter_list(statement, arguments.entries().size()); !fits)
      return fits.error();
    std::vector<std::size_t> order(arguments.entries().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    return order;
  }
  if (statement.style != sql::PlaceholderStyle::named)
    return refused("the statement has no :name placeholders, and its arguments have names",
                   "write :name where a value goes, or give the values in their order");
  const std::vector<std::string_view> keys{arguments.names().begin(), arguments.names().end()};
  return sql::match_parameter_names(statement, keys);
}

Parameters values_of(const Arguments& arguments, const std::vector<std::size_t>& order,
                     const sql::Rewritten& rewritten) {
  Parameters values;
  values.reserve(rewritten.binds.size());
  for (const auto entry : rewritten.binds)
    values.push_back(arguments.entries()[order[entry]].value());
  return values;
}

std::vector<sql::DriverLiteral> literals_of(const Arguments& arguments,
                                            const std::vector<std::size_t>& order) {
  std::vector<sql::DriverLiteral> literals;
  literals.reserve(order.size());
  for (const auto entry : order)
    literals.push_back(arguments.entries()[entry].literal());
  return literals;
}

}  // namespace

Arguments Arguments::by_name(std::initializer_list<std::pair<std::string, Argument>> entries) {
  Arguments arguments;
  for (const auto& [name, argument] : entries) {
    arguments.names_.push_back(name);
    arguments.entries_.push_back(argument);
  }
  return arguments;
}

Value Arguments::to_value() const {
  const auto shown = [](const Argument& argument) {
    return argument.literal() == sql::DriverLiteral::none
             ? argument.value()
             : Value{sql::to_string(argument.literal())};
  };
  if (names_.empty()) {
    auto list = Value::array();
    for (const auto& entry : entries_)
      list.push_back(shown(entry));
    return list;
  }
  auto object = Value::object();
  for (std::size_t i = 0; i < names_.size(); ++i)
    object.set(names_[i], shown(entries_[i]));
  return object;
}

Result<Statement> bind(std::string_view text, const Arguments& arguments,
                       const StatementOptions& options, sql::Dialect dialect) {
  return bind_many(text, {arguments}, options, dialect);
}

Result<Statement> bind_many(std::string_view text, const std::vector<Arguments>& sets,
                            const StatementOptions& options, sql::Dialect dialect) {
  auto parsed = sql::parse_statement(text);
  if (!parsed)
    return parsed.error();
  Statement statement{.sets = {}, .options = options};
  std::vector<sql::DriverLiteral> literals;
  std::optional<sql::Rewritten> rewritten;
  for (const auto& arguments : sets) {
    auto order = order_of(*parsed, arguments);
    if (!order)
      return order.error();
    auto wanted = literals_of(arguments, *order);
    if (!rewritten) {
      auto written = sql::rewrite(*parsed, wanted, dialect);
      if (!written)
        return written.error();
      literals = std::move(wanted);
      rewritten = std::move(*written);
    } else if (wanted != literals) {
      return refused("a literal stands at another place than in the first set of arguments",
                     "run those sets as a statement of their own");
    }
    statement.sets.push_back(values_of(arguments, *order, *rewritten));
  }
  if (rewritten)
    statement.sql = std::move(rewritten->sql);
  return statement;
}

}  // namespace millrace::sdk
