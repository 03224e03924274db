// SQL for the CRUD operations: insert, update, upsert, delete and select by column names. Names are
// quoted, values are `?` placeholders, so that what comes out goes through `parse_statement` like
// any query; the text is the same for PostgreSQL and SQLite.
//
//   build_crud({.operation = CrudOperation::update, .table = "shop.orders", .values = {"state"},
//   .where = {{"id"}}});
//   // UPDATE "shop"."orders" SET "state" = ? WHERE "id" = ?
#pragma once

#include "connectors/sdk/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::dsl {

enum class CrudOperation : std::uint8_t { insert, update, upsert, remove, select };

struct CrudWhere {
  std::string column;
  bool is_null = false;  // asks for IS NULL and takes no placeholder: `= NULL` is never true in SQL
};

struct CrudOrder {
  std::string column;
  bool descending = false;
};

struct Crud {
  CrudOperation operation = CrudOperation::select;
  std::string table{};                 // `orders` or `schema.orders`; parts may be in double quotes
  std::vector<std::string> values{};   // columns that are written
  std::vector<CrudWhere> where{};      // joined by AND
  std::vector<std::string> key{};      // of an upsert: the columns of its unique index
  std::vector<std::string> columns{};  // of a select; empty: all
  std::vector<std::string> returning{};  // of what was written
  std::vector<CrudOrder> order{};        // of a select
  bool limit = false;                    // of a select: takes a placeholder
  bool offset = false;                   // of a select: takes a placeholder
  bool all = false;                      // update and delete without `where` are meant
};

/// The placeholders stand in the order: values, where (without the null ones), limit, offset.
/// @returns kind `config` with the option that is wrong: no table, no values, an empty `where`
/// without `all`,
///   a key that is not among the values, a column named twice.
sdk::Result<std::string> build_crud(const Crud& crud);

/// `shop.orders` as `"shop"."orders"`; a part in double quotes keeps its dots.
/// @returns kind `config` where a part is empty or a quote does not end.
sdk::Result<std::string> quote_table(std::string_view name);

}  // namespace millrace::dsl
