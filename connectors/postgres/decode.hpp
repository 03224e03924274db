// PostgreSQL's results into values, from text or from binary with the same outcome: the JSON type
// depends on the column's type alone, and every string that comes out is taken as a parameter of
// that column.
#pragma once

#include "connectors/postgres/binary_read.hpp"
#include "connectors/postgres/handles.hpp"
#include "connectors/postgres/types.hpp"
#include "connectors/postgres/user_types.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/row_builder.hpp"
#include "connectors/sdk/set_form.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace::postgres {

/// How the values of a column are read.
struct ColumnReader {
  const TypeInfo* info = nullptr;  // null: they are text
  BinaryReader binary = nullptr;   // null: the server is never asked for their binary form
};

/// The columns of a statement's last result, kept beside the statement: they seldom change. For one
/// thread at a time.
struct ShapeSlot {
  std::shared_ptr<const sdk::ResultShape> shape;
  std::vector<Oid> types;             // as the server says them
  std::vector<ColumnReader> readers;  // of what stands for them
  bool unique_names = true;
  std::shared_ptr<const UserTypes> users;  // null: none were looked up
};

sdk::Value decode_text(std::string_view text, const TypeInfo& type);
sdk::Value decode_text(std::string_view text, Oid type);

/// '{1,NULL,"a b"}', nested, with bounds in front or without. Null where it is no array.
sdk::Value decode_array(std::string_view text, const TypeInfo& type);

/// The rows of results with the columns of `slot`, behind the `first` ones.
class RowReader {
public:
  RowReader(const PGresult* result, const ShapeSlot& slot, int first = 0);

  /// Puts row `row` of a result with the same columns into `out`, an object by column.
  /// @returns false where its bytes are not what the server said they were.
  bool read(const PGresult* result, int row, sdk::Value& out);

  /// Of all cells that were read.
  std::size_t bytes() const noexcept { return bytes_; }

  static sdk::Error failure();

private:
  bool read_cell(const PGresult* result, int row, std::size_t index);

  const std::vector<ColumnReader>& readers_;
  sdk::RowBuilder row_;
  std::size_t bytes_ = 0;
  int first_;
  bool binary_;
};

/// Puts the result's columns into `slot`, where others are in it.
void take_shape(const PGresult* result, ShapeSlot& slot);

/// A result of the status TUPLES_OK or COMMAND_OK.
sdk::Result<sdk::SqlResult> decode_result(PGresult* result, ShapeSlot& slot,
                                          std::shared_ptr<const std::string> sql);

/// How many rows the command gave or changed; none where it does not count.
std::optional<std::int64_t> row_count(PGresult* result);

/// The results of so many members of a set, from the rows that carry their numbers.
sdk::Result<std::vector<sdk::SqlResult>>
decode_members(PGresult* result, ShapeSlot& slot, const sdk::SetForm& form, std::size_t members);

}  // namespace millrace::postgres
