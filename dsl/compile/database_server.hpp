// `server` of a database step.
#pragma once

#include "dsl/compile/pipeline_compiler.hpp"

#include <cstddef>

namespace millrace::dsl {

/// Reads which server is meant: by name, the only one, or (where `name` is not null) by an
/// expression per record. `server` is `no_server` after a mistake and where an expression says it.
void read_database_server(StepInput& in, std::size_t& server, sdk::ExpressionPtr* name);

}  // namespace millrace::dsl
