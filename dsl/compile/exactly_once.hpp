// `delivery: exactly-once` on a source that keeps offsets: the steps from the first database step
// on become one transaction, in which the offset moves too. What could have an effect outside of it
// is refused.
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/document.hpp"
#include "dsl/program.hpp"

#include <vector>

namespace millrace::dsl {

bool wants_exactly_once(const sdk::ConfigNode& source);

/// Puts the end of `steps` into a block. @returns false after it has reported why that cannot be.
bool wrap_exactly_once(sdk::ConfigNode& steps, const sdk::ConfigNode& source,
                       const Document& document, sdk::Diagnostics& diagnostics);

/// Marks the block and the source, and reports every step with which the promise could not hold.
void mark_exactly_once(PipelineProgram& pipeline, const sdk::ConfigNode& source,
                       const std::vector<ServerProgram>& servers, sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
