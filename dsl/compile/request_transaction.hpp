// `transaction: databaseServer` on a source that answers: the steps from the first database step on
// become a `transaction` block.
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/document.hpp"

namespace millrace::dsl {

/// Puts the end of `steps` into a block on `server`, which is the value of `transaction`.
/// @returns whether it did; a mistake is reported where no step uses a database.
bool wrap_request(sdk::ConfigNode& steps, const sdk::ConfigNode& server, const Document& document,
                  sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
