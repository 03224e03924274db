// Settings of the process: what `millrace run --config FILE` reads. Each has a flag of the same
// name (dashes for underscores) and that flag's environment twin, which win over it.
//
//   drain_timeout: 10s          # --drain-timeout, MILLRACE_DRAIN_TIMEOUT
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "runtime/options.hpp"

#include <string>

namespace millrace::runtime {

/// Reads the settings, or lists them.
void read_settings(sdk::ConfigReader& in, RunOptions& out);

/// Reads the file over what `out` holds. Relative paths in it start at its folder.
/// @returns every mistake with its place; empty: there is none.
std::string load_settings(const std::string& path, RunOptions& out);

}  // namespace millrace::runtime
