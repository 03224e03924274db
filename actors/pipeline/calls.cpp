#include "actors/pipeline/calls.hpp"

#include "actors/pipeline/stage.hpp"
#include "actors/sources/database_source.hpp"
#include "actors/sources/offset_table.hpp"

#include <set>
#include <string>
#include <variant>

namespace millrace::actors {

namespace {

void collect(const dsl::StepList& list, std::set<std::string>& called);

void collect(const dsl::ErrorPolicy& errors, std::set<std::string>& called) {
  for (const auto& rule : errors.rules) {
    if (rule.steps)
      collect(*rule.steps, called);
  }
}

void collect(const dsl::StepProgram& step, std::set<std::string>& called) {
  if (const auto* call = std::get_if<dsl::CallPipeline>(&step.body))
    called.insert(call->pipeline);
  for (const auto* list : nested_lists(step))
    collect(*list, called);
  collect(step.errors, called);
}

void collect(const dsl::StepList& list, std::set<std::string>& called) {
  for (const auto& step : list.steps)
    collect(*step, called);
}

}  // namespace

CallPorts make_call_ports(const dsl::Program& program) {
  CallPorts ports;
  for (const auto& pipeline : program.pipelines) {
    if (!pipeline.source.make && !pipeline.source.receive)
      ports.add(pipeline.name);
  }
  return ports;
}

std::set<std::string> called_pipelines(const dsl::PipelineProgram& pipeline) {
  std::set<std::string> called;
  collect(pipeline.steps, called);
  collect(pipeline.source.errors, called);
  if (pipeline.dead_letter)
    collect(*pipeline.dead_letter, called);
  return called;
}

void connect_calls(PipelineShared& shared, const CallPorts& ports) {
  const auto& pipeline = *shared.pipeline;
  shared.make_source = pipeline.source.make;
  if (pipeline.source.receive) {
    shared.make_source = database_source(pipeline.source.receive, shared.env);
  } else if (!shared.make_source) {
    shared.own_port = ports.find(pipeline.name);
    shared.make_source = shared.own_port->source_factory();
  }
  if (const auto& once = pipeline.source.exactly_once; once && !once->table.empty())
    shared.offsets = std::make_shared<OffsetTable>(once->table,
                                                   (*shared.env.databases)[once->server]);
  for (const auto& name : called_pipelines(pipeline)) {
    if (auto port = ports.find(name)) {
      port->add_caller();
      shared.called_ports.push_back(std::move(port));
    }
  }
}

void disconnect_calls(PipelineShared& shared) {
  if (shared.own_port)
    shared.own_port->close();
  for (const auto& port : shared.called_ports)
    port->remove_caller();
  shared.called_ports.clear();
}

}  // namespace millrace::actors
