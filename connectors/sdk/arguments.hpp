// Arguments: what stands in for the placeholders of a statement, and `bind`, which makes both into
// what is sent.
//
//   db.execute("SELECT * FROM orders WHERE customer = ? AND day <= ?", {7, current_date});
//   db.execute("SELECT * FROM orders WHERE customer = :id", named({{"id", 7}}));
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/sql/placeholder.hpp"
#include "connectors/sdk/statement.hpp"
#include "connectors/sdk/value.hpp"

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace millrace::sdk {

/// Written into the statement in the database's own words; a *value* that looks like one is data.
inline constexpr auto current_timestamp = sql::DriverLiteral::current_timestamp;
inline constexpr auto current_date = sql::DriverLiteral::current_date;

/// A value, or one of the literals above.
class Argument {
public:
  template <class T>

  requires(!std::same_as<std::remove_cvref_t<T>, Argument> && std::constructible_from<Value, T>)
    // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload)
    Argument(T&& value)
    : value_{std::forward<T>(value)} {}

  /// NULL where there is none.
  template <class T>
  Argument(const std::optional<T>& value)  // NOLINT(google-explicit-constructor)
    : value_{value ? Value{*value} : Value{}} {}

  Argument(sql::DriverLiteral literal)  // NOLINT(google-explicit-constructor)
    : literal_{literal} {}

  const Value& value() const noexcept { return value_; }

  sql::DriverLiteral literal() const noexcept { return literal_; }

private:
  Value value_;
  sql::DriverLiteral literal_ = sql::DriverLiteral::none;
};

/// By position, or by name.
class Arguments {
public:
  Arguments() = default;

  /// `{7, "x", current_date}`. Not a list of initialisers, which GCC 12 cannot put into a
  /// `co_await`.
  template <class... T>

  requires(sizeof...(T) > 0 && (std::constructible_from<Argument, T> && ...))
    Arguments(T&&... entries) {  // NOLINT(google-explicit-constructor)
    entries_.reserve(sizeof...(T));
    (entries_.emplace_back(std::forward<T>(entries)), ...);
  }

  // NOLINTNEXTLINE(google-explicit-constructor)
  Arguments(const Parameters& values) : entries_{values.begin(), values.end()} {}

  static Arguments by_name(std::initializer_list<std::pair<std::string, Argument>> entries);

  const std::vector<Argument>& entries() const noexcept { return entries_; }

  /// One per entry, or none at all.
  const std::vector<std::string>& names() const noexcept { return names_; }

  /// The values alone: a list, or an object. Literals are the text of their SQL.
  Value to_value() const;

private:
  std::vector<Argument> entries_;
  std::vector<std::string> names_;
};

/// Arguments for `:name` placeholders.
inline Arguments named(std::initializer_list<std::pair<std::string, Argument>> entries) {
  return Arguments::by_name(entries);
}

/// The statement as it is sent: `$n` for whichever style it was written in.
/// @returns kind `execution` where the counts or the names do not match, with both of them, and
/// where the text is no single statement.
Result<Statement> bind(std::string_view text, const Arguments& arguments,
                       const StatementOptions& options = {},
                       sql::Dialect dialect = sql::Dialect::postgres);

/// The same with many sets of arguments; the literals stand where those of the first set do.
Result<Statement> bind_many(std::string_view text, const std::vector<Arguments>& sets,
                            const StatementOptions& options = {},
                            sql::Dialect dialect = sql::Dialect::postgres);

}  // namespace millrace::sdk
