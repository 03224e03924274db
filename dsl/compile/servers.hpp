// Servers: `servers:` and `securitySchemes:` to ServerPrograms.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "dsl/document.hpp"
#include "dsl/program.hpp"

#include <span>
#include <vector>

namespace millrace::dsl {

/// One per definition, in order; those with mistakes too, so that steps find the names they use.
std::vector<ServerProgram> compile_servers(const Document& document,
                                           std::span<const sdk::Connector* const> connectors,
                                           const Environment& environment,
                                           sdk::Diagnostics& diagnostics);

/// Lists the options of a server of that connector; null: of a database.
void describe_server(const sdk::Connector* connector, sdk::ConfigReader& in);

/// Lists the options of a security scheme.
void describe_scheme(sdk::ConfigReader& in);

}  // namespace millrace::dsl
