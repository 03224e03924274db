#include "actors/steps/copy_rows.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::actors {

using sdk::Error;
using sdk::ErrorKind;

namespace {

sdk::Result<sdk::Parameters> row_of_list(const dsl::CopyTarget& target, const sdk::Value& list) {
  if (list.size() != target.columns.size())
    return Error{ErrorKind::data, "a row of " + target.rows->text() + " has "
                                    + std::to_string(list.size()) + " values for "
                                    + std::to_string(target.columns.size()) + " columns"};
  sdk::Parameters row;
  row.reserve(list.size());
  for (const auto& value : list.items())
    row.push_back(value);
  return row;
}

sdk::Parameters row_of_object(const dsl::CopyTarget& target, const sdk::Value& object) {
  sdk::Parameters row;
  row.reserve(target.names.size());
  for (const auto& name : target.names) {
    const auto* member = object.find(name);
    row.push_back(member ? *member : sdk::Value{});
  }
  return row;
}

sdk::Result<CopyRows> listed_rows(const dsl::CopyTarget& target, const sdk::Record& record) {
  auto list = target.rows->evaluate({.record = &record});
  if (!list)
    return std::move(list).error();
  CopyRows rows;
  if (list->is_null())
    return rows;
  if (!list->is_array())
    return Error{ErrorKind::data,
                 target.rows->text() + " gives no list of rows but "
                   + std::string{to_string(list->kind())},
                 {.hint = "give `rows:` a path that selects an array"}};
  rows.reserve(list->size());
  for (const auto& item : list->items()) {
    if (item.is_object()) {
      rows.push_back(row_of_object(target, item));
    } else if (item.is_array()) {
      auto row = row_of_list(target, item);
      if (!row)
        return std::move(row).error();
      rows.push_back(std::move(*row));
    } else {
      return Error{ErrorKind::data, "a row of " + target.rows->text()
                                      + " is neither an object nor a list but "
                                      + std::string{to_string(item.kind())}};
    }
  }
  return rows;
}

}  // namespace

sdk::Result<CopyRows> rows_of(const dsl::CopyTarget& target, const sdk::Record& record) {
  if (target.rows)
    return listed_rows(target, record);
  CopyRows rows(1);
  rows.front().reserve(target.values.size());
  for (const auto& expression : target.values) {
    auto value = expression->evaluate({.record = &record});
    if (!value)
      return std::move(value).error();
    rows.front().push_back(std::move(*value));
  }
  return rows;
}

sdk::Statement copy_statement(const dsl::CopyTarget& target, std::shared_ptr<const CopyRows> rows,
                              std::size_t first, std::size_t count) {
  sdk::Statement statement{.sql = "COPY " + target.table};
  statement.bulk = std::make_shared<const sdk::BulkRows>(
    sdk::BulkRows{target.table, target.columns, std::move(rows), first, count});
  return statement;
}

sdk::Value copy_result(std::size_t rows) {
  return sdk::Value::object(
    {{"rowcount", static_cast<std::int64_t>(rows)}, {"command", "COPY " + std::to_string(rows)}});
}

// By classes of SQLSTATE: data, constraints, limits, what triggers raise. A table that is not there
// or a server that is full is nobody's fault.
bool blames_a_row(const Error& error) {
  static constexpr std::array<std::string_view, 8> classes{"21", "22", "23", "38",
                                                           "39", "44", "54", "P0"};
  if (error.retryable() || error.outcome_unknown())
    return false;
  const std::string_view code = error.code();
  return code == "42804" || std::ranges::any_of(classes, [code](std::string_view start) {
           return code.starts_with(start);
         });
}

}  // namespace millrace::actors
