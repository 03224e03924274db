// RecordEncoder: Values to the lines of a file, pipe or terminal.
#pragma once

#include "connectors/sdk/format/format.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {

/// Of one stream. Not for two threads at once.
class RecordEncoder {
public:
  explicit RecordEncoder(const WriteFormat& format);

  /// Appends one line with its line break.
  /// @returns kind `data` where `value` cannot be put so; `out` is then as it was.
  Status append(std::string& out, const Value& value);

  /// What must stand before the first line; known once one was appended. Mostly empty.
  std::string header() const;

  /// For csv: the stream has a header already, which names the columns.
  void set_columns(std::vector<std::string> columns);

private:
  Status append_row(std::string& out, const Value& value);
  void append_field(std::string& out, std::string_view text) const;

  Format format_;
  CsvOptions csv_;
  bool columns_given_;  // by the user: what else a record has is left out
};

}  // namespace millrace::sdk
