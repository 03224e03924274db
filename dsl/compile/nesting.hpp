// Which steps cannot stand inside others.
#pragma once

#include "connectors/sdk/diagnostic.hpp"
#include "dsl/compile/pipeline_compiler.hpp"

namespace millrace::dsl {

/// The step around nested steps waits for each of its records to come out of them: a mistake is
/// reported for each step in there that makes other records of them. To be called before the rules
/// of pipelines and steps are put together.
void check_nesting(const PipelineDraft& draft, sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
