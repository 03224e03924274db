#include "dsl/load.hpp"

#include "dsl/compile/fingerprint.hpp"
#include "dsl/compile/nesting.hpp"
#include "dsl/compile/pipeline_compiler.hpp"
#include "dsl/compile/servers.hpp"
#include "dsl/compile/spans.hpp"
#include "dsl/compile/walk.hpp"
#include "dsl/document.hpp"
#include "dsl/overrides.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::Diagnostics;

bool receives_calls(const PipelineProgram& pipeline) {
  return pipeline.source.type == "pipeline";
}

const PipelineDraft* find_draft(const std::vector<PipelineDraft>& drafts, const std::string& name) {
  const auto found = std::ranges::find_if(
    drafts, [&](const PipelineDraft& one) { return one.program.name == name; });
  return found == drafts.end() ? nullptr : &*found;
}

// Whether a call out of `from` leads back to `target`.
bool leads_to(const std::vector<PipelineDraft>& drafts, const std::string& from,
              const std::string& target, std::set<std::string>& seen) {
  const auto* draft = find_draft(drafts, from);
  if (!draft || !seen.insert(from).second)
    return false;
  bool found = false;
  for_each_step(draft->program.steps, [&](const StepProgram& step) {
    if (const auto* call = std::get_if<CallPipeline>(&step.body); call && !found)
      found = call->pipeline == target || leads_to(drafts, call->pipeline, target, seen);
  });
  return found;
}

void check_calls(const std::vector<PipelineDraft>& drafts, Diagnostics& diagnostics) {
  for (const auto& draft : drafts) {
    for_each_step(draft.program.steps, [&](const StepProgram& step) {
      const auto* call = std::get_if<CallPipeline>(&step.body);
      const auto* target = call ? find_draft(drafts, call->pipeline) : nullptr;
      if (!target)
        return;
      std::set<std::string> seen;
      if (!receives_calls(target->program))
        diagnostics.error(step.place, "the pipeline '" + call->pipeline + "' takes no calls",
                          "its first step must be {type: pipeline, operation: receive}");
      else if (call->pipeline == draft.program.name
               || leads_to(drafts, call->pipeline, draft.program.name, seen))
        diagnostics.error(step.place,
                          "'" + step.name + "' calls a pipeline that comes back to this one",
                          "a record would go round for ever");
    });
  }
}

// A rule of the pipeline as it holds inside a transaction: nothing there is tried again alone.
ErrorRule inside_transaction(ErrorRule rule) {
  rule.retry = RetryPolicy{.attempts = 1};
  return rule;
}

enum class Surroundings : std::uint8_t { none, span, block };

void add_defaults(ErrorPolicy& policy, const ErrorPolicy& defaults, Surroundings where) {
  policy.own_rules = policy.rules.size();
  // Steps of a block leave the pipeline's rules to the block: it may still run again as a whole.
  if (where != Surroundings::block) {
    for (const auto& rule : defaults.rules)
      policy.rules.push_back(where == Surroundings::span ? inside_transaction(rule) : rule);
  }
  if (where != Surroundings::none)
    policy.rules.push_back(inside_transaction({}));
  policy.error_slot = defaults.error_slot;
}

void finish(PipelineDraft& draft, const std::unordered_set<const StepProgram*>& inside) {
  auto& program = draft.program;
  program.errors = draft.defaults;
  std::unordered_set<const StepProgram*> in_block;
  for_each_step(program.steps, [&](StepProgram& step) {
    if (auto* block = std::get_if<TransactionBlock>(&step.body))
      for_each_step(block->steps, [&](StepProgram& nested) { in_block.insert(&nested); });
  });
  add_defaults(program.source.errors, draft.defaults, Surroundings::none);
  for_each_step(program.steps, [&](StepProgram& step) {
    const bool span = inside.contains(&step)
                      && !std::holds_alternative<TransactionBlock>(step.body);
    add_defaults(step.errors, draft.defaults,
                 in_block.contains(&step) ? Surroundings::block
                 : span                   ? Surroundings::span
                                          : Surroundings::none);
  });
}

std::vector<PipelineDraft> compile_pipelines(const CompileInput& input) {
  std::vector<PipelineDraft> drafts;
  for (const auto& pipeline : input.document.pipelines)
    drafts.push_back(PipelineCompiler{input, pipeline}.compile());
  return drafts;
}

void check_presets(const Document& document, std::span<const sdk::Connector* const> connectors,
                   Diagnostics& diagnostics) {
  const auto types = type_names(connectors);
  for (const auto& preset : document.operations) {
    if (!preset.node.is_mapping()) {
      diagnostics.error(preset.node.is_null() ? preset.place : preset.node.place,
                        "the operation '" + preset.name + "' must be a mapping of defaults, not "
                          + preset.node.describe());
      continue;
    }
    const auto* type = preset.node.find("type");
    if (type && type->secret) {
      diagnostics.error(type->place, "there is no step type " + type->describe());
    } else if (type && type->is_scalar() && std::ranges::find(types, type->text) == types.end()) {
      diagnostics.error(type->place,
                        is_known_type(type->text)
                          ? "this build has no '" + type->text + "' connector"
                          : "there is no step type '" + type->text + "'",
                        sdk::did_you_mean(type->text, types));
    }
    const auto* server = preset.node.find("server");
    if (server && server->is_scalar() && !server->text.starts_with('$')
        && !find_named(document.servers, server->text))
      diagnostics.error(server->place, "there is no server " + server->describe(),
                        sdk::did_you_mean(server->text, names_of(document.servers)));
  }
}

}  // namespace

LoadResult load(const LoadOptions& options) {
  assert(options.environment);
  LoadResult result;
  auto& diagnostics = result.diagnostics;
  auto document = read_documents(options.files, *options.environment, diagnostics);
  apply_overrides(document, options.profile, options.sets, *options.environment, diagnostics);
  auto program = std::make_shared<Program>();
  program->servers = compile_servers(document, options.connectors, *options.environment,
                                     diagnostics);
  check_presets(document, options.connectors, diagnostics);
  const CompileInput input{document, options.connectors, *options.environment, program->servers,
                           diagnostics};
  auto drafts = compile_pipelines(input);
  if (drafts.empty() && !diagnostics.has_errors())
    diagnostics.error({std::make_shared<const std::string>(
                         options.files.empty() ? "millrace" : options.files.front()),
                       0, 0},
                      "there is no pipeline", "add steps:, or pipelines:");
  check_calls(drafts, diagnostics);
  for (auto& draft : drafts) {
    check_nesting(draft, diagnostics);
    const auto inside = mark_spans(draft, drafts, program->servers, diagnostics);
    finish(draft, inside);
  }
  diagnostics.sort();
  if (diagnostics.has_errors())
    return result;
  for (auto& draft : drafts)
    program->pipelines.push_back(std::move(draft.program));
  add_fingerprints(document, *program);
  result.program = std::move(program);
  return result;
}

}  // namespace millrace::dsl
