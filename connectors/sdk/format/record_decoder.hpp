// RecordDecoder: one line of a file or pipe to the Value it stands for.
#pragma once

#include "connectors/sdk/format/csv.hpp"
#include "connectors/sdk/format/format.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {

/// Of one stream, from its start: with csv it reads the header. Not for two threads at once.
class RecordDecoder {
public:
  explicit RecordDecoder(const ReadFormat& format);

  /// Whether `line` holds no record: a blank one (but for text).
  bool skips(std::string_view line) const noexcept;

  /// Whether the next line is a csv header, to be given to `read_header`.
  bool wants_header() const noexcept { return wants_header_; }

  /// @returns an error where no row of this stream can be read without it.
  Status read_header(std::string_view line);

  Result<Value> decode(std::string_view line);

private:
  Result<Value> decode_row(std::string_view line);

  Format format_;
  CsvOptions csv_;
  bool wants_header_;
  std::vector<Value> names_;  // of the columns; shared by all rows
  JsonReader json_;
  CsvRow row_;
};

}  // namespace millrace::sdk
