// What marking spans must know of whole pipelines beforehand.
#pragma once

#include "dsl/compile/pipeline_compiler.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace millrace::dsl {

/// The steps at which transactions begin that no beginSql says: where a server has a commitSql and
/// no beginSql, its dbConnection, else its first statement.
std::unordered_set<const StepProgram*> implicit_begins(const PipelineProgram& pipeline);

/// The servers that a pipeline uses, and those that it calls; any where a server is computed.
std::set<std::size_t> servers_used(const std::string& pipeline,
                                   const std::vector<PipelineDraft>& all, std::size_t servers);

}  // namespace millrace::dsl
