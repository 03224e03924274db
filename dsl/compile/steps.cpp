// PipelineCompiler, the part that reads one step: its preset, its name, its common keys, and who
// reads the rest.
#include "dsl/compile/operations.hpp"
#include "dsl/compile/pipeline_compiler.hpp"
#include "dsl/compile/receive_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::ConfigReader;

constexpr std::array<std::string_view, 2> reserved_names{"meta", "error"};

// What comes from outside decides nothing about the structure of a file, and is shown nowhere.
std::string text_of(const ConfigNode& node, std::string_view key) {
  const auto* found = node.find(key);
  if (!found || !found->is_scalar())
    return {};
  return found->secret ? std::string{sdk::Secret::masked()} : found->text;
}

// The client's own spelling stands for ours.
std::string canonical_operation(std::string operation) {
  return operation == "dbConnecton" ? "dbConnection" : operation;
}

// Whether the preset that made `merged` of `given` has steps of its own, which could use it again.
bool brings_steps(const ConfigNode& given, const ConfigNode& merged) {
  return std::ranges::any_of(merged.entries, [&](const ConfigNode::Entry& entry) {
    static constexpr std::array<std::string_view, 4> keys{"steps", "cases", "branches", "onError"};
    return std::ranges::find(keys, entry.key) != keys.end() && !given.find(entry.key);
  });
}

// "file write step 'out'".
std::string owner_of(const std::string& type, const std::string& operation, std::string_view what,
                     const std::string& name) {
  return type + (operation.empty() ? "" : " " + operation) + " " + std::string{what} + " '" + name
         + "'";
}

}  // namespace

void read_common_keys(ConfigReader& in, StepProgram& step, CommonKeys& keys) {
  in.ignore({"name", "type", "operation"});
  in.optional("description", step.description, "For people");
  in.optional("when", step.when, "A condition; where it is false the record passes the step by");
  in.optional("timeout", step.timeout, "Longest time for a record or batch in the step");
  in.check(!step.timeout || step.timeout->count() > 0, "timeout", "longer than 0ms");
  in.optional("concurrency", step.concurrency, "Replicas of the step; lanes are spread over them");
  step.secret_concurrency = in.is_secret("concurrency");
  in.check(step.concurrency >= 1 && step.concurrency <= 1024, "concurrency", "between 1 and 1024");
  in.optional("ordered", step.ordered,
              "Whether records of a lane leave in the order in which they came");
  keys.on_error = in.raw("onError", "error rules", "What becomes of records that fail");
  keys.response = in.raw("response", "mapping of expressions",
                         "What the output holds, `$` being the result; default: the whole result");
}

// --- presets

// The step with what its preset says for keys that it does not give. Nothing after a mistake.
std::optional<ConfigNode> PipelineCompiler::with_preset(const ConfigNode& node) {
  const auto name = text_of(node, "operation");
  const auto* preset = name.empty() ? nullptr : find_named(input_.document.operations, name);
  if (!preset || !preset->node.is_mapping())
    return node;
  const auto type = text_of(node, "type");
  const auto preset_type = text_of(preset->node, "type");
  if (!type.empty() && !preset_type.empty() && type != preset_type) {
    diagnostics().error(node.find("operation")->place, "the preset '" + name
                                                         + "' is for steps of type '" + preset_type
                                                         + "', and this one is '" + type + "'");
    diagnostics().note(preset->place, "here is the preset");
    return std::nullopt;
  }
  if (std::ranges::find(presets_in_use_, name) != presets_in_use_.end()) {
    diagnostics().error(node.find("operation")->place, "the preset '" + name + "' uses itself");
    return std::nullopt;
  }
  ConfigNode merged = node;
  for (const auto& entry : preset->node.entries) {
    const auto found = std::ranges::find(merged.entries, entry.key, &ConfigNode::Entry::key);
    if (entry.key == "operation" && found != merged.entries.end())
      found->value = entry.value;
    else if (found == merged.entries.end() && entry.key != "description")
      merged.entries.push_back(entry);
  }
  // A preset's name that is no operation of its type has done its work.
  if (!preset->node.find("operation")
      && !has_operation(input_.connectors, text_of(merged, "type"), canonical_operation(name)))
    std::erase_if(merged.entries,
                  [](const ConfigNode::Entry& entry) { return entry.key == "operation"; });
  return merged;
}

std::string PipelineCompiler::take_name(const ConfigNode& node, const std::string& type) {
  const auto* given = node.find("name");
  if (!given) {
    auto name = type + "-" + std::to_string(steps_);
    while (step_places_.contains(name))
      name += "x";
    step_places_.emplace(name, node.place);
    return name;
  }
  const auto& place = given->place;
  if (!given->is_scalar() || given->secret || !is_name(given->text)) {
    diagnostics().error(place, given->describe() + " cannot name a step",
                        "use letters, digits, '_' and '-'");
    return "?";
  }
  if (std::ranges::find(reserved_names, given->text) != reserved_names.end())
    diagnostics().error(place, "a step cannot be called '" + given->text + "'",
                        "'$." + given->text + "' has a meaning of its own");
  const auto [first, is_new] = step_places_.emplace(given->text, place);
  if (!is_new) {
    diagnostics().error(place, "two steps have the name '" + given->text + "'",
                        "rename one of them");
    diagnostics().note(first->second, "here is the first '" + given->text + "'");
  }
  return given->text;
}

void PipelineCompiler::refuse_type(const ConfigNode& node, const std::string& type) {
  const auto* given = node.find("type");
  if (!given) {
    std::vector<std::string_view> keys;
    for (const auto& entry : node.entries)
      keys.push_back(entry.key);
    const std::string slip{sdk::nearest("type", keys)};
    diagnostics().error(node.place, "a step needs a 'type'",
                        slip.empty() ? "for example type: transform"
                                     : "did you mean 'type' where '" + slip + "' stands?");
    return;
  }
  if (!given->is_scalar()) {
    diagnostics().error(given->place, "'type' must be text, not " + given->describe());
    return;
  }
  if (is_known_type(type)) {
    diagnostics().error(
      given->place, "this build has no '" + type + "' connector",
      find_connector(input_.connectors, type) ? "a database is used with type: database" : "");
    return;
  }
  diagnostics().error(given->place, "there is no step type '" + type + "'",
                      sdk::did_you_mean(type, type_names(input_.connectors)));
}

// --- the source

void PipelineCompiler::compile_source(const ConfigNode& given) {
  auto& source = draft_.program.source;
  source.place = given.place;
  source.output = 0;
  ++steps_;
  if (!given.is_mapping()) {
    diagnostics().error(given.place, "a step must be a mapping, not " + given.describe());
    return;
  }
  const auto node = with_preset(given);
  if (!node)
    return;
  source.type = text_of(*node, "type");
  source.operation = canonical_operation(text_of(*node, "operation"));
  source.name = take_name(*node, source.type.empty() ? "source" : source.type);
  last_output_ = add_slot(source.name);
  ConfigReader in{*node, owner_of(source.type, source.operation, "source", source.name),
                  diagnostics(), this};
  in.ignore({"name", "type", "operation"});
  in.optional("description", source.description, "For people");
  const auto* on_error = in.raw("onError", "error rules",
                                "What becomes of records that cannot be read");
  read_source(in, *node, source.type, source.operation);
  source.errors = compile_errors(on_error, true);
}

void PipelineCompiler::read_source(ConfigReader& in, const ConfigNode& node,
                                   const std::string& type, const std::string& operation) {
  auto& source = draft_.program.source;
  const std::string first = "the first step of a pipeline must be a source";
  if (type == "pipeline" && operation == "receive") {
    in.finish();
    return;
  }
  if (type == "database" && operation == "receive") {
    read_database_receive(in, this, source);
    in.finish();
    return;
  }
  const auto* connector = find_connector(input_.connectors, type);
  if (!connector || connector->operations.empty()) {
    const auto own = own_types();
    if (std::ranges::any_of(own, [&](const StepType* one) { return one->type == type; }))
      diagnostics().error(
        node.place, first + ", and '" + type + "' is none",
        "begin with stdin, file, generate, timer, {type: database, operation: receive} or "
        "{type: pipeline, operation: receive}");
    else
      refuse_type(node, type);
    return;
  }
  const auto* chosen = choose_operation(*connector, operation, node, true);
  if (!chosen) {
    const auto names = operation_names(*connector);
    diagnostics().error(
      in.place_of("operation"), "'" + type + "' has no operation '" + operation + "'",
      sdk::did_you_mean(operation, names).empty() ? "it has " + sdk::joined(names)
                                                  : sdk::did_you_mean(operation, names));
    return;
  }
  if (!chosen->source) {
    diagnostics().error(
      node.place, first + ", and " + owner_of(type, std::string{chosen->name}, "step", source.name)
                    + " is none");
    return;
  }
  source.connector = connector;
  source.operation_info = chosen;
  source.operation = chosen->name;
  found_server_.reset();
  source.make = chosen->source(in);
  source.server = found_server_;
}

// --- steps

std::unique_ptr<StepProgram> PipelineCompiler::compile_step(const ConfigNode& given) {
  if (!given.is_mapping()) {
    diagnostics().error(given.place, "a step must be a mapping, not " + given.describe());
    return nullptr;
  }
  const auto node = with_preset(given);
  if (!node)
    return nullptr;
  auto step = std::make_unique<StepProgram>();
  step->place = given.place;
  step->type = text_of(*node, "type");
  step->operation = canonical_operation(text_of(*node, "operation"));
  step->name = take_name(*node, step->type.empty() ? "step" : step->type);
  step->input = last_output_;
  presets_in_use_.push_back(brings_steps(given, *node) ? text_of(given, "operation") : "");
  ConfigReader in{*node, owner_of(step->type, step->operation, "step", step->name), diagnostics(),
                  this};
  if (step->type == "database" && step->operation.empty() && node->find("query"))
    step->operation = "executeSql";
  read_step(in, *step, step->type, step->operation);
  presets_in_use_.pop_back();
  return step;
}

void PipelineCompiler::read_step(ConfigReader& in, StepProgram& step, const std::string& type,
                                 const std::string& operation) {
  CommonKeys common;
  read_common_keys(in, step, common);
  step.errors = compile_errors(common.on_error, true);
  bool has_output = false;
  const auto* connector = find_connector(input_.connectors, type);
  const auto own = own_types();
  const auto is_type = [&](const StepType* one) { return one->type == type; };
  if (std::ranges::any_of(own, is_type)) {
    const auto found = std::ranges::find_if(
      own, [&](const StepType* one) { return one->type == type && one->operation == operation; });
    if (found != own.end()) {
      StepInput input{in, this, step, (*found)->has_output};
      (*found)->read(input);
      in.finish();
      has_output = input.has_output;
    } else {
      refuse_operation(in, type, operation);
      has_output = true;
    }
  } else if (connector && !connector->operations.empty()) {
    has_output = read_connector_step(in, step, *connector, operation);
  } else {
    refuse_type(in.node(), type);
    has_output = true;
  }
  take_response(common.response, step, has_output);
  if (!has_output)
    return;
  step.output = add_slot(step.name);
  last_output_ = step.output;
}

void PipelineCompiler::refuse_operation(ConfigReader& in, const std::string& type,
                                        const std::string& operation) {
  std::vector<std::string_view> names;
  for (const auto* one : own_types()) {
    if (one->type == type && !one->operation.empty())
      names.push_back(one->operation);
  }
  if (names.empty()) {
    in.error("operation", "'" + type + "' steps have no operations", "leave 'operation' out");
  } else if (operation.empty()) {
    in.error("operation", in.owner() + " needs an 'operation'", "one of " + sdk::joined(names));
  } else if (type == "database" && operation == "receive") {
    in.error("operation", in.owner() + " is a source, which only the first step can be",
             "put it into a pipeline of its own");
  } else {
    in.error("operation", "'" + type + "' has no operation '" + operation + "'",
             operation_hint(operation, names));
  }
}

bool PipelineCompiler::read_connector_step(ConfigReader& in, StepProgram& step,
                                           const sdk::Connector& connector,
                                           const std::string& operation) {
  const auto* chosen = choose_operation(connector, operation, in.node(), false);
  if (!chosen) {
    in.error("operation", "'" + step.type + "' has no operation '" + operation + "'",
             operation_hint(operation, operation_names(connector)));
    return true;
  }
  if (!chosen->step) {
    diagnostics().error(step.place,
                        "'" + step.name + "' is a source, which only the first step can be",
                        "put it into a pipeline of its own");
    return true;
  }
  if (chosen->answering && draft_.program.source.connector != &connector)
    diagnostics().error(step.place,
                        "'" + step.name + "' answers what {type: " + step.type
                          + ", operation: receive} takes in, and this pipeline does not begin so");
  step.operation = chosen->name;
  found_server_.reset();
  auto make = chosen->step(in);
  step.body = ConnectorCall{&connector, chosen, std::move(make), found_server_};
  return chosen->has_output;
}

void PipelineCompiler::take_response(const ConfigNode* response, StepProgram& step,
                                     bool has_output) {
  if (!response)
    return;
  if (!response->is_mapping()) {
    diagnostics().error(response->place,
                        "'response' must be a mapping of names to expressions, not "
                          + response->describe(),
                        "for example response: {score: \"$.rows[0].score\"}");
    return;
  }
  if (!has_output) {
    diagnostics().error(response->place,
                        "'" + step.name + "' has no result that 'response' could map");
    return;
  }
  context_.result_root = true;
  for (const auto& entry : response->entries) {
    if (auto value = compile(entry.value, diagnostics()))
      step.response.push_back({entry.key, std::move(value)});
  }
  context_.result_root = false;
}

}  // namespace millrace::dsl
