// Environment: the world that a file may refer to. Loading asks only this, so tests script it, and
// dsl/ itself does no I/O.
#pragma once

#include "connectors/sdk/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::dsl {

enum class PathKind : std::uint8_t { absent, file, directory };

class Environment {
public:
  virtual ~Environment() = default;

  /// The value of a variable, or nothing where it is not set.
  virtual std::optional<std::string> variable(const std::string& name) const = 0;

  /// The variables whose names begin with `prefix`, by name.
  virtual std::vector<std::pair<std::string, std::string>>
  variables(std::string_view prefix) const = 0;

  virtual PathKind kind_of(const std::string& path) const = 0;

  /// The whole content. @returns kind `io` where it cannot be read, kind `config` where it is over
  /// `limit` bytes.
  virtual sdk::Result<std::string> read_file(const std::string& path, std::size_t limit) const = 0;

  /// Paths of the files directly in a directory, by name.
  virtual sdk::Result<std::vector<std::string>> list_directory(const std::string& path) const = 0;

  /// Whether users other than the owner may read the file.
  virtual bool others_may_read(const std::string& path) const = 0;
};

}  // namespace millrace::dsl
