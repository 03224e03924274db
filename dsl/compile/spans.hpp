// Spans: which steps are part of which transaction, and the pipelines that no transaction can run.
#pragma once

#include "dsl/compile/pipeline_compiler.hpp"

#include <unordered_set>
#include <vector>

namespace millrace::dsl {

/// Marks the steps of each transaction, fills in PipelineProgram::spans and reports what is
/// refused. Only rules that the steps say themselves may stand in their ErrorPolicies yet.
/// @returns the steps that run inside a transaction.
std::unordered_set<const StepProgram*> mark_spans(PipelineDraft& draft,
                                                  const std::vector<PipelineDraft>& all,
                                                  const std::vector<ServerProgram>& servers,
                                                  sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
