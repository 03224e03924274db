// What files may refer to, as this process sees it: its variables, those of --env-file, and the
// disk.
#pragma once

#include "connectors/sdk/result.hpp"
#include "dsl/environment.hpp"

#include <map>
#include <string>
#include <string_view>

namespace millrace::runtime {

/// Immutable once the env files are read.
class ProcessEnvironment : public dsl::Environment {
public:
  /// Adds the NAME=value lines of a file; later files win, and the process's own variables win over
  /// all. @returns kind `io` or `config`, with the line.
  sdk::Status add_file(const std::string& path);

  std::optional<std::string> variable(const std::string& name) const override;
  std::vector<std::pair<std::string, std::string>>
  variables(std::string_view prefix) const override;
  dsl::PathKind kind_of(const std::string& path) const override;
  sdk::Result<std::string> read_file(const std::string& path, std::size_t limit) const override;
  sdk::Result<std::vector<std::string>> list_directory(const std::string& path) const override;
  bool others_may_read(const std::string& path) const override;

private:
  std::map<std::string, std::string, std::less<>> from_files_;
};

/// Reads NAME=value lines: blank lines and those that begin with `#` are left out, `export ` before
/// a name is taken, quotes around a value are cut. Messages show names, never values.
sdk::Result<std::map<std::string, std::string, std::less<>>>
parse_env_file(std::string_view text, const std::string& file);

}  // namespace millrace::runtime
