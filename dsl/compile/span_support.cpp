#include "dsl/compile/span_support.hpp"

#include "dsl/compile/named_server.hpp"
#include "dsl/compile/walk.hpp"

#include <map>

namespace millrace::dsl {

namespace {

bool opens(const DatabaseCall& call) {
  return call.operation == DatabaseOperation::begin;
}

bool runs_sql(const DatabaseCall& call) {
  return (call.operation == DatabaseOperation::execute && !call.stream)
         || call.operation == DatabaseOperation::execute_batch
         || call.operation == DatabaseOperation::copy_in;
}

void collect_servers(const std::string& pipeline, const std::vector<PipelineDraft>& all,
                     std::size_t servers, std::set<std::size_t>& used,
                     std::set<std::string>& seen) {
  if (!seen.insert(pipeline).second)
    return;
  for (const auto& draft : all) {
    if (draft.program.name != pipeline)
      continue;
    for_each_step(draft.program.steps, [&](const StepProgram& step) {
      if (const auto* call = std::get_if<DatabaseCall>(&step.body)) {
        used.insert(call->server);
        for (std::size_t i = 0; call->server_name && i < servers; ++i)
          used.insert(i);
      }
      if (const auto* block = std::get_if<TransactionBlock>(&step.body))
        used.insert(block->server);
      if (const auto* nested = std::get_if<CallPipeline>(&step.body))
        collect_servers(nested->pipeline, all, servers, used, seen);
    });
  }
}

}  // namespace

std::unordered_set<const StepProgram*> implicit_begins(const PipelineProgram& pipeline) {
  std::unordered_set<const StepProgram*> implicit;
  std::set<std::size_t> commits;
  std::set<std::size_t> begins;
  std::map<std::size_t, const StepProgram*> checks;
  std::map<std::size_t, const StepProgram*> statements;
  for_each_step(pipeline.steps, [&](const StepProgram& step) {
    const auto* call = std::get_if<DatabaseCall>(&step.body);
    if (!call || call->server == no_server)
      return;
    if (opens(*call))
      begins.insert(call->server);
    else if (call->operation == DatabaseOperation::commit)
      commits.insert(call->server);
    else if (call->operation == DatabaseOperation::check)
      checks.emplace(call->server, &step);
    else if (runs_sql(*call))
      statements.emplace(call->server, &step);
  });
  for (const auto server : commits) {
    if (begins.contains(server))
      continue;
    if (const auto check = checks.find(server); check != checks.end())
      implicit.insert(check->second);
    else if (const auto first = statements.find(server); first != statements.end())
      implicit.insert(first->second);
  }
  return implicit;
}

std::set<std::size_t> servers_used(const std::string& pipeline,
                                   const std::vector<PipelineDraft>& all, std::size_t servers) {
  std::set<std::size_t> used;
  std::set<std::string> seen;
  collect_servers(pipeline, all, servers, used, seen);
  return used;
}

}  // namespace millrace::dsl
