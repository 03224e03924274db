#include "dsl/sql/crud.hpp"

#include "connectors/sdk/sql/identifier.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::Error;
using sdk::ErrorKind;
using sdk::sql::quote_identifier;
using Names = std::vector<std::string>;

Error refuse(std::string message, std::string hint = {}) {
  return {ErrorKind::config, std::move(message), {.hint = std::move(hint)}};
}

std::string_view name_of(CrudOperation operation) noexcept {
  switch (operation) {
  case CrudOperation::insert:
    return "insert";
  case CrudOperation::update:
    return "update";
  case CrudOperation::upsert:
    return "upsert";
  case CrudOperation::remove:
    return "delete";
  case CrudOperation::select:
    return "select";
  }
  return "";
}

sdk::Status check_names(std::string_view option, const Names& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || names[i].find('\0') != std::string::npos)
      return refuse(std::string{option} + " has a column without a name, or with NUL in it");
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i])
        != names.begin() + static_cast<std::ptrdiff_t>(i))
      return refuse(std::string{option} + " names the column '" + names[i] + "' twice");
  }
  return {};
}

bool contains(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// What makes no sense, or would touch every row by accident.
sdk::Status check(const Crud& crud) {
  Names where;
  for (const auto& one : crud.where)
    where.push_back(one.column);
  for (auto [option, names] : {std::pair{"values", &crud.values},
                               {"where", &where},
                               {"key", &crud.key},
                               {"returning", &crud.returning}}) {
    if (auto good = check_names(option, *names); !good)
      return good;
  }
  const std::string operation{name_of(crud.operation)};
  const bool narrows = crud.operation == CrudOperation::update
                       || crud.operation == CrudOperation::remove;
  if (narrows && where.empty() && !crud.all)
    return refuse(operation + " without 'where' would touch every row of the table",
                  "give 'where', or 'all: true' if that is meant");
  if (narrows && !where.empty() && crud.all)
    return refuse(operation + " has both 'where' and 'all: true'", "give one of them");
  const bool writes = crud.operation == CrudOperation::update
                      || crud.operation == CrudOperation::upsert;
  if (writes && crud.values.empty())
    return refuse(operation + " needs 'values'");
  if (crud.operation == CrudOperation::upsert && crud.key.empty())
    return refuse("upsert needs 'key': the columns of the unique index that tells rows apart");
  for (const auto& column : crud.key) {
    if (!contains(crud.values, column))
      return refuse("the key column '" + column + "' is not among 'values'");
  }
  return {};
}

/// "a", "b"
std::string list_of(const Names& names) {
  std::string out;
  for (const auto& name : names)
    out.append(out.empty() ? "" : ", ").append(quote_identifier(name));
  return out;
}

std::string placeholders(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += i == 0 ? "?" : ", ?";
  return out;
}

std::string where_of(std::span<const CrudWhere> where) {
  std::string out;
  for (const auto& one : where) {
    out += out.empty() ? " WHERE " : " AND ";
    out += quote_identifier(one.column) + (one.is_null ? " IS NULL" : " = ?");
  }
  return out;
}

std::string insert_sql(const Crud& crud, const std::string& table) {
  if (crud.values.empty())
    return "INSERT INTO " + table + " DEFAULT VALUES";
  return "INSERT INTO " + table + " (" + list_of(crud.values) + ") VALUES ("
         + placeholders(crud.values.size()) + ")";
}

/// Columns of the key stay; where there are no others, a row that is there is left as it is.
std::string conflict_sql(const Crud& crud) {
  std::string set;
  for (const auto& column : crud.values) {
    if (contains(crud.key, column))
      continue;
    const auto name = quote_identifier(column);
    set.append(set.empty() ? "" : ", ").append(name).append(" = EXCLUDED.").append(name);
  }
  return " ON CONFLICT (" + list_of(crud.key) + ") DO "
         + (set.empty() ? "NOTHING" : "UPDATE SET " + set);
}

std::string update_sql(const Crud& crud, const std::string& table) {
  std::string set;
  for (const auto& column : crud.values)
    set.append(set.empty() ? "" : ", ").append(quote_identifier(column)).append(" = ?");
  return "UPDATE " + table + " SET " + set + where_of(crud.where);
}

std::string select_sql(const Crud& crud, const std::string& table) {
  std::string out = "SELECT " + (crud.columns.empty() ? "*" : list_of(crud.columns)) + " FROM "
                    + table + where_of(crud.where);
  for (std::size_t i = 0; i < crud.order.size(); ++i) {
    out += i == 0 ? " ORDER BY " : ", ";
    out += quote_identifier(crud.order[i].column) + (crud.order[i].descending ? " DESC" : "");
  }
  if (crud.limit)
    out += " LIMIT ?";
  else if (crud.offset)
    out += " LIMIT 9223372036854775807";  // SQLite has no OFFSET without LIMIT
  return out + (crud.offset ? " OFFSET ?" : "");
}

std::string text_of(const Crud& crud, const std::string& table) {
  switch (crud.operation) {
  case CrudOperation::insert:
    return insert_sql(crud, table);
  case CrudOperation::update:
    return update_sql(crud, table);
  case CrudOperation::upsert:
    return insert_sql(crud, table) + conflict_sql(crud);
  case CrudOperation::remove:
    return "DELETE FROM " + table + where_of(crud.where);
  case CrudOperation::select:
    return select_sql(crud, table);
  }
  return {};
}

/// The next part of a table's name up to a dot outside quotes; moves `rest` behind it.
std::optional<std::string> next_part(std::string_view& rest) {
  std::string part;
  if (!rest.starts_with('"')) {
    part = rest.substr(0, rest.find('.'));
    rest.remove_prefix(part.size());
    return part;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] != '"') {
      part += rest[i];
    } else if (i + 1 < rest.size() && rest[i + 1] == '"') {
      part += rest[++i];
    } else {
      rest.remove_prefix(i + 1);
      return part;
    }
  }
  return std::nullopt;
}

}  // namespace

sdk::Result<std::string> quote_table(std::string_view name) {
  const std::string whole{name};
  if (name.empty() || name.find('\0') != std::string_view::npos)
    return refuse("'table' is empty or has NUL in it");
  std::string out;
  while (true) {
    const auto part = next_part(name);
    if (!part || part->empty() || (!name.empty() && name.front() != '.'))
      return refuse("'" + whole + "' is no name of a table",
                    "write table, schema.table, or \"a name with . in it\"");
    out += quote_identifier(*part);
    if (name.empty())
      return out;
    out += '.';
    name.remove_prefix(1);
  }
}

sdk::Result<std::string> build_crud(const Crud& crud) {
  auto table = quote_table(crud.table);
  if (!table)
    return table;
  if (auto good = check(crud); !good)
    return std::move(good).error();
  std::string sql = text_of(crud, *table);
  if (!crud.returning.empty() && crud.operation != CrudOperation::select)
    sql += " RETURNING " + list_of(crud.returning);
  return sql;
}

}  // namespace millrace::dsl
