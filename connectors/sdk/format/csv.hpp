// CSV (RFC 4180): one row to its fields, strictly: a stray quote is a mistake, not a guess.
//
//   CsvRow row{';'};
//   if (auto split = row.split("1;\"a \"\"b\"\"\""); split) use(row.fields());
#pragma once

#include "connectors/sdk/result.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {

/// The columns that the first line of `text` names.
Result<std::vector<std::string>> csv_header(std::string_view text, char delimiter);

class CsvRow {
public:
  explicit CsvRow(char delimiter) noexcept : delimiter_{delimiter} {}

  /// @param row without its line break; it may hold line breaks in quoted fields.
  /// @returns kind `data`, with the column, where it is no row.
  Status split(std::string_view row);

  /// Of the last row that was split; valid while that text and this object are unchanged.
  std::span<const std::string_view> fields() const noexcept { return fields_; }

private:
  Status quoted_field(std::string_view row, std::size_t& at);

  char delimiter_;
  std::vector<std::string_view> fields_;
  std::string unquoted_;  // texts of fields that held doubled quotes; never moves while in use
};

}  // namespace millrace::sdk
