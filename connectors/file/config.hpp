// The options of `type: file`.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/format/format.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace millrace::file {

enum class Compression : std::uint8_t {
  by_name,  // reading: by the first bytes or '.gz'; writing: by '.gz'
  none,
  gzip,
};

struct ReadConfig {
  sdk::Text path;  // may be a pattern
  sdk::ReadFormat format;
  Compression compression = Compression::by_name;
  bool tail = false;
  bool from_end = false;  // of tail: pass by what is there at the start
};

enum class WriteMode : std::uint8_t {
  whole,   // the file appears at the end of the run, or not at all
  append,  // lines are added as they come
};

enum class Sync : std::uint8_t { none, batch };

struct WriteConfig {
  sdk::ExpressionPtr path;
  std::string below;  // of a path with values in it: the directory that none of them may leave
  sdk::ExpressionPtr value;  // null: the last output
  sdk::WriteFormat format;
  WriteMode mode = WriteMode::whole;
  Compression compression = Compression::by_name;
  Sync sync = Sync::none;
  bool create_directories = false;
  std::size_t max_open = 64;
};

void read_config(sdk::ConfigReader& in, ReadConfig& out);
void read_config(sdk::ConfigReader& in, WriteConfig& out);

/// Whether `path` ends in `.gz`.
bool named_gzip(const std::string& path) noexcept;

}  // namespace millrace::file
