// PostgreSQL's text into values: the JSON type depends on the column's type alone, and every string
// that comes out is taken as a parameter of that column.
#pragma once

#include "connectors/postgres/handles.hpp"
#include "connectors/postgres/types.hpp"
#include "connectors/postgres/user_types.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/set_form.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace millrace::postgres {

/// The columns of a statement's last result, kept beside the statement: they seldom change.
struct ShapeSlot {
  std::shared_ptr<const sdk::ResultShape> shape;
  std::vector<Oid> types;                  // as the server says them
  std::vector<Oid> read_as;                // what stands for them
  std::shared_ptr<const UserTypes> users;  // null: none were looked up
};

sdk::Value decode_text(std::string_view text, Oid type);

/// '{1,NULL,"a b"}', nested, with bounds in front or without. Null where it is no array.
sdk::Value decode_array(std::string_view text, const TypeInfo& type);

/// Row `row`, an object by column. `slot` holds the result's columns.
sdk::Value decode_row(const PGresult* result, int row, const ShapeSlot& slot);

/// Puts the result's columns into `slot`, where others are in it.
void take_shape(const PGresult* result, ShapeSlot& slot);

/// A result of the status TUPLES_OK or COMMAND_OK.
sdk::SqlResult decode_result(PGresult* result, ShapeSlot& slot,
                             std::shared_ptr<const std::string> sql);

/// The results of so many members of a set, from the rows that carry their numbers.
sdk::Result<std::vector<sdk::SqlResult>>
decode_members(PGresult* result, ShapeSlot& slot, const sdk::SetForm& form, std::size_t members);

}  // namespace millrace::postgres
