// Which pipeline calls which (`type: pipeline`), found once before they start.
#pragma once

#include "actors/pipeline/call_ports.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "dsl/program.hpp"

#include <set>
#include <string>

namespace millrace::actors {

/// A port for each pipeline whose source takes calls.
CallPorts make_call_ports(const dsl::Program& program);

/// The names of those that a pipeline calls.
std::set<std::string> called_pipelines(const dsl::PipelineProgram& pipeline);

/// Gives a pipeline its source, which takes the calls of a called one, and a calling one its ports.
void connect_calls(PipelineShared& shared, const CallPorts& ports);

/// A pipeline has ended: its own port refuses from now on, and those that it called have one caller
/// less.
void disconnect_calls(PipelineShared& shared);

}  // namespace millrace::actors
