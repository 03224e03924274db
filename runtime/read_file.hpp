// The one place of the runtime that reads whole files.
#pragma once

#include "connectors/sdk/result.hpp"

#include <cstddef>
#include <limits>
#include <string>

namespace millrace::runtime {

/// All that comes from `fd`. @param name for messages: "'a.json'", "stdin". @returns kind `io`
/// where reading fails, kind `config` where it is over `limit` bytes.
sdk::Result<std::string>
read_descriptor(int fd, const std::string& name,
                std::size_t limit = std::numeric_limits<std::size_t>::max());

/// The same of a file by its path.
sdk::Result<std::string> read_file(const std::string& path,
                                   std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace millrace::runtime
