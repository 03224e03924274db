// Files of the command line, to the Program that they mean.
#pragma once

#include "dsl/load.hpp"
#include "runtime/console.hpp"
#include "runtime/options.hpp"

#include <memory>

namespace millrace::runtime {

/// As `load_files`, without a word to anybody.
dsl::LoadResult read_files(const FileOptions& options);

/// Reports what is wrong, and warnings, on the console. @returns null after a mistake.
std::shared_ptr<const dsl::Program> load_files(const FileOptions& options, Console& console);

}  // namespace millrace::runtime
