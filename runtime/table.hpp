// Table: text in columns, for people at a terminal.
#pragma once

#include "connectors/sdk/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace millrace::runtime {

class Table {
public:
  explicit Table(std::vector<std::string> heads) : rows_{std::move(heads)} {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  /// One line a row; the last column is not filled up. Numbers stand to the right.
  std::string text() const;

private:
  std::vector<std::vector<std::string>> rows_;
};

/// A member as a cell: "-" where it is not there. Control characters are left out.
std::string cell(const sdk::Value& object, std::string_view member);

/// `text` without what would move a terminal's cursor.
std::string printable(std::string_view text);

/// "1.2 s", "3 min", "4 h", "2 d".
std::string short_time(std::int64_t milliseconds);

}  // namespace millrace::runtime
