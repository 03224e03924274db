// Which transactions go out as one group: all statements in one round trip, and no session held.
#pragma once

#include "dsl/program.hpp"

#include <cstdint>
#include <vector>

namespace millrace::dsl {

/// The steps of span `span` in order, where its statements and their parameters are all known at
/// its start: only database steps, default options, no savepoint, no condition, and nothing in its
/// steps that could fail once it is committed. Empty where it needs a session.
std::vector<const StepProgram*> grouped_steps(const PipelineProgram& pipeline, std::uint32_t span);

}  // namespace millrace::dsl
