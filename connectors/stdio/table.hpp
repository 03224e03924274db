// Table: rows of objects as columns that a person can read. Widths come from the first rows; a
// longer text later moves the rest of its row.
//
//   Table table;
//   for (const Value& row : first_rows) table.measure(row);
//   for (const Value& row : first_rows) table.append(out, row);
//
//   customer  score
//   --------  -----
//   ann           7
#pragma once

#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::stdio {

class Table {
public:
  /// Longest text of a field; the rest of it is cut, with an ellipsis.
  static constexpr std::size_t widest = 60;

  /// Makes room for `row`, and columns for its members.
  void measure(const sdk::Value& row);

  /// Appends the line of `row`; before the first one, and where a row brings new columns, the names
  /// of the columns.
  void append(std::string& out, const sdk::Value& row);

private:
  struct Column {
    std::string name;
    std::size_t width = 0;  // in characters
    bool numbers = true;    // only numbers so far: aligned to the right
  };

  bool has_columns_of(const sdk::Value& row) const;
  void measure_field(std::string_view name, const sdk::Value& value);
  void append_names(std::string& out);

  std::vector<Column> columns_;
  bool named_ = false;  // the names of the present columns stand in the output
};

}  // namespace millrace::stdio
