#include "dsl/compile/pipeline_compiler.hpp"

#include "dsl/compile/exactly_once.hpp"
#include "dsl/compile/named_server.hpp"
#include "dsl/compile/request_transaction.hpp"
#include "dsl/compile/slot_expression.hpp"
#include "dsl/expression/compiler.hpp"

#include <algorithm>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::Diagnostics;

// Whether any scalar below `node` holds `word`.
bool mentions(const ConfigNode& node, std::string_view word) {
  if (node.text.find(word) != std::string::npos)
    return true;
  return std::ranges::any_of(node.items, [&](const auto& item) { return mentions(item, word); })
         || std::ranges::any_of(node.entries,
                                [&](const auto& entry) { return mentions(entry.value, word); });
}

// The names of all steps, for messages about those that cannot be seen.
void note_names(const ConfigNode& node, std::vector<std::string>& names) {
  const auto* name = node.find("name");
  if (name && name->is_scalar() && is_name(name->text))
    names.push_back(name->text);
  for (const auto& item : node.items)
    note_names(item, names);
  for (const auto& entry : node.entries)
    note_names(entry.value, names);
}

}  // namespace

PipelineCompiler::PipelineCompiler(const CompileInput& input, const NamedNode& pipeline)
  : input_{input}, pipeline_{pipeline} {
  note_names(pipeline.node, context_.out_of_reach);
  context_.variable = [&environment = input.environment](const std::string& name) {
    return environment.variable(name);
  };
}

PipelineDraft PipelineCompiler::compile() {
  draft_.program.name = pipeline_.name;
  draft_.program.place = pipeline_.place;
  PipelineKeys keys;
  sdk::ConfigReader in{pipeline_.node, "pipeline '" + pipeline_.name + "'", diagnostics()};
  read_pipeline_keys(in, keys);
  in.finish();
  if (keys.description && keys.description->is_scalar() && !keys.description->secret)
    draft_.program.description = keys.description->text;
  has_dead_letter_ = keys.dead_letter != nullptr;
  if (!keys.steps || !keys.steps->is_sequence() || keys.steps->items.empty()) {
    const auto place = keys.steps ? keys.steps->place : pipeline_.place;
    if (pipeline_.node.is_mapping())
      diagnostics().error(place, "pipeline '" + pipeline_.name
                                   + "' needs 'steps', a list that begins with a source");
    return std::move(draft_);
  }
  // A slot for what the source says about each record, if anybody may ask.
  bool meta = has_dead_letter_ || mentions(pipeline_.node, "meta");
  for (const auto& preset : input_.document.operations)
    meta |= mentions(preset.node, "meta");
  compile_source(keys.steps->items.front());
  if (meta) {
    meta_slot_ = new_slot("meta." + draft_.program.source.name);
    context_.meta.push_back({draft_.program.source.name, meta_slot_});
    draft_.program.source.meta = meta_slot_;
  }
  ConfigNode rest = *keys.steps;
  rest.items.erase(rest.items.begin());
  const auto* transaction = keys.steps->items.front().find("transaction");
  const auto* operation = draft_.program.source.operation_info;
  const bool of_request = transaction && operation && operation->answers
                          && wrap_request(rest, *transaction, input_.document, diagnostics());
  const bool exactly_once = operation && operation->keeps_offsets
                            && wants_exactly_once(keys.steps->items.front())
                            && wrap_exactly_once(rest, keys.steps->items.front(), input_.document,
                                                 diagnostics());
  draft_.program.steps = compile_list(rest);
  if (exactly_once)
    mark_exactly_once(draft_.program, keys.steps->items.front(), input_.servers, diagnostics());
  if (of_request && !draft_.program.steps.steps.empty()) {
    auto& last = draft_.program.steps.steps.back()->body;
    if (auto* block = std::get_if<TransactionBlock>(&last))
      block->of_request = true;
  }
  context_.names.insert(context_.names.begin(), forgotten_.begin(), forgotten_.end());
  draft_.defaults_place = keys.on_error ? keys.on_error->place : pipeline_.place;
  draft_.defaults = compile_errors(keys.on_error, true);
  if (keys.dead_letter)
    compile_dead_letter(*keys.dead_letter);
  draft_.defaults.error_slot = error_slot_;
  return std::move(draft_);
}

// --- names and slots

PipelineCompiler::Nested::Nested(PipelineCompiler& pipeline)
  : pipeline_{pipeline}, names_{pipeline.context_.names}, last_output_{pipeline.last_output_} {
}

PipelineCompiler::Nested::~Nested() {
  pipeline_.context_.names = std::move(names_);
  pipeline_.last_output_ = last_output_;
}

void PipelineCompiler::forget_outputs() {
  auto& names = context_.names;
  forgotten_.insert(forgotten_.end(), names.begin(), names.end());
  names.clear();
}

sdk::Slot PipelineCompiler::new_slot(const std::string& name) {
  auto& slots = draft_.program.slots;
  slots.push_back(name);
  return static_cast<sdk::Slot>(slots.size() - 1);
}

sdk::Slot PipelineCompiler::add_slot(const std::string& name) {
  const auto slot = new_slot(name);
  context_.names.push_back({name, slot});
  return slot;
}

sdk::Slot PipelineCompiler::error_slot() {
  if (error_slot_ == sdk::no_slot)
    error_slot_ = new_slot("error");
  return error_slot_;
}

sdk::ExpressionPtr PipelineCompiler::whole_slot(sdk::Slot slot) const {
  return slot == sdk::no_slot ? constant_expression({})
                              : slot_expression(slot, "$." + draft_.program.slots[slot]);
}

// --- expressions

sdk::ExpressionPtr PipelineCompiler::compile(const ConfigNode& node, Diagnostics& diagnostics) {
  return Compiler{context_}.compile(node, diagnostics);
}

sdk::ExpressionPtr PipelineCompiler::compile_text_for(sdk::TextUse use, const ConfigNode& node,
                                                      Diagnostics& diagnostics) {
  return Compiler{context_}.compile_text_for(use, node, diagnostics);
}

sdk::ConditionPtr PipelineCompiler::compile_condition(const ConfigNode& node,
                                                      Diagnostics& diagnostics) {
  return Compiler{context_}.compile_condition(node, diagnostics);
}

// --- servers

sdk::ServerPtr PipelineCompiler::find_server(const ConfigNode* node, std::string_view protocol,
                                             const sdk::Place& place, const std::string& owner,
                                             Diagnostics& diagnostics) {
  const auto found = find_named_server(input_.servers, node, protocol, place, owner, diagnostics);
  if (found == no_server)
    return nullptr;
  found_server_ = found;
  return input_.servers[found].settings;
}

// --- lists

StepList PipelineCompiler::compile_list(const ConfigNode& list) {
  StepList steps;
  if (!list.is_sequence()) {
    diagnostics().error(list.place, "'steps' must be a list of steps, not " + list.describe());
    return steps;
  }
  for (const auto& node : list.items) {
    if (++steps_ > max_steps) {
      if (steps_ == max_steps + 1)
        diagnostics().error(node.place, "the pipeline has more than " + std::to_string(max_steps)
                                          + " steps once its presets are followed");
      break;
    }
    auto step = compile_step(node);
    if (!step)
      continue;
    if (step->output != sdk::no_slot)
      steps.result = step->output;
    steps.steps.push_back(std::move(step));
  }
  return steps;
}

StepList PipelineCompiler::compile_nested(const ConfigNode& list) {
  const Nested nested{*this};
  return compile_list(list);
}

}  // namespace millrace::dsl
