// The database servers of files, without their pipelines: for programs that share the files of the
// engine.
#pragma once

#include "dsl/load.hpp"

#include <map>
#include <memory>
#include <string>

namespace millrace::dsl {

struct ServerSettings {
  sdk::Diagnostics diagnostics;  // sorted by place; warnings too
  std::map<std::string, std::shared_ptr<const sdk::DatabaseSettings>> servers;  // none after an
                                                                                // error
};

/// Reads `servers:`, `securitySchemes:` and `profiles:` with all that `load` lays over them. What
/// else stands in the files must be of the language, but is not compiled.
ServerSettings load_server_settings(const LoadOptions& options);

}  // namespace millrace::dsl
