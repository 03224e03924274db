// The formats of records in files, pipes and terminals, and the options that choose them.
//
//   format: csv        # jsonl (default) | csv | text
//   delimiter: ";"
#pragma once

#include "connectors/sdk/config_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace millrace::sdk {

enum class Format : std::uint8_t {
  jsonl,  // one JSON value a line
  csv,    // RFC 4180; a row is an object of strings
  text,   // one string a line
};

inline constexpr std::size_t default_max_line = 1024 * 1024;

struct CsvOptions {
  char delimiter = ',';
  bool header = true;                // reading: the first row names the columns; writing: put one
  std::vector<std::string> columns;  // empty: from the header, or from the first record
};

struct ReadFormat {
  Format format = Format::jsonl;
  std::size_t max_line = default_max_line;  // bytes of one record; a longer one fails
  CsvOptions csv;
};

struct WriteFormat {
  Format format = Format::jsonl;
  CsvOptions csv;
};

void read_format(ConfigReader& in, ReadFormat& out);
void read_format(ConfigReader& in, WriteFormat& out);

/// `delimiter`, `header` and `columns`, and the rules among them.
void read_csv_options(ConfigReader& in, CsvOptions& out, bool is_csv);

}  // namespace millrace::sdk
