// `${ENV:NAME}`, `${ENV:NAME:-default}` and `${FILE:path}`: resolved in scalars after the file was
// read, never in keys, never again in what they gave. `$${` becomes `${`. What else stands in
// `${…}` is a template of the expressions and stays.
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/environment.hpp"

#include <string_view>

namespace millrace::dsl {

/// Resolves every reference below `node`; all that is missing is reported. Relative paths of
/// `${FILE:…}` start at the folder of the file in which they stand.
void resolve_references(sdk::ConfigNode& node, const Environment& environment,
                        sdk::Diagnostics& diagnostics);

/// `path` as seen from the folder of `file`.
std::string relative_to(const std::string& file, std::string_view path);

}  // namespace millrace::dsl
