// The stages of the control steps and of SQL, by what they are made from. See
// actors/pipeline/stage.hpp.
#pragma once

#include "actors/pipeline/stage.hpp"
#include "dsl/program.hpp"

namespace millrace::actors {

// Each takes the step and its body, which outlive the stage.
StagePtr make_transform_stage(const dsl::StepProgram& step, const dsl::Transform& body);
StagePtr make_filter_stage(const dsl::Filter& body);
StagePtr make_log_stage(const dsl::StepProgram& step, const dsl::LogMessage& body,
                        const StageEnv& env);
StagePtr make_fail_stage(const dsl::Fail& body);
StagePtr make_delay_stage(const dsl::Delay& body);
StagePtr make_throttle_stage(const dsl::Throttle& body);
StagePtr make_dedupe_stage(const dsl::Dedupe& body);
StagePtr make_gather_stage(const dsl::StepProgram& step, const dsl::Gather& body);
StagePtr make_switch_stage(const dsl::StepProgram& step, const dsl::Switch& body,
                           const StageEnv& env);
StagePtr make_foreach_stage(const dsl::StepProgram& step,
                            const dsl::Foreach& body);  // with `collect`
StagePtr make_expand_stage(const dsl::StepProgram& step, const dsl::Foreach& body);  // without
StagePtr make_parallel_stage(const dsl::StepProgram& step, const dsl::Parallel& body);

/// @returns kind `config` where that pipeline does not take calls.
sdk::Result<StagePtr> make_call_stage(const dsl::StepProgram& step, const dsl::CallPipeline& body,
                                      const StageEnv& env);

/// The send step that commits with the offsets of its source.
StagePtr make_exactly_once_sink(const dsl::StepProgram& step, const dsl::ConnectorCall& call,
                                const StageEnv& env);

}  // namespace millrace::actors
