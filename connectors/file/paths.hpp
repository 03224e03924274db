// Paths with patterns: which files they mean.
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/secret.hpp"

#include <string>
#include <vector>

namespace millrace::file {

/// Whether `path` has one of * ? [ and is not itself the name of a file.
bool is_pattern(const std::string& path);

/// The files that match, sorted by their bytes; directories are left out. A path without pattern is
/// itself. @returns no paths where nothing matches; kind `io` where a directory cannot be read.
sdk::Result<std::vector<sdk::Text>> matching_files(const sdk::Text& path);

/// The directory in which `path` stands: "." for a bare name.
std::string directory_of(const std::string& path);

/// The part behind the last '/'.
std::string name_of(const std::string& path);

}  // namespace millrace::file
