// The control steps: what each accepts, and what it compiles to.
#include "dsl/compile/pipeline_compiler.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::ConfigReader;

// A list of nested steps that must be there. @returns null after a mistake, and where options are
// only listed.
const ConfigNode*
steps_node(ConfigReader& in,
           std::string_view doc = "Nested steps; they see the outputs around them") {
  return in.raw("steps", "list of steps", doc, true);
}

void named(std::vector<std::pair<std::string, sdk::ExpressionPtr>>& from,
           std::vector<NamedExpression>& into) {
  for (auto& [name, value] : from)
    into.push_back({name, std::move(value)});
}

void read_transform(StepInput& in) {
  auto& body = in.step.body.emplace<Transform>();
  std::vector<std::pair<std::string, sdk::ExpressionPtr>> set;
  in.options.optional("from", body.from,
                      "What `set` builds on; default: nothing, and without `set` the last output");
  in.options.expressions("set", set, "Members of the output");
  in.options.optional("pick", body.pick, "Members that are kept; default: all");
  in.options.optional("drop", body.drop, "Members that are left out");
  const auto* rename = in.options.raw("rename", "mapping of texts",
                                      "Members that get another name, `old: new`");
  named(set, body.set);
  if (!in.pipeline)
    return;
  auto& diagnostics = in.pipeline->diagnostics();
  if (rename && !rename->is_mapping())
    diagnostics.error(rename->place,
                      "'rename' must be a mapping `old: new`, not " + rename->describe());
  if (rename) {
    for (const auto& entry : rename->entries) {
      if (entry.value.is_scalar())
        body.rename.emplace_back(entry.key, entry.value.text);
      else
        diagnostics.error(entry.value.place, "'rename' must be a mapping `old: new`");
    }
  }
  if (body.set.empty() && !in.options.has("set") && !body.from) {
    if (body.pick.empty() && body.drop.empty() && body.rename.empty() && !in.options.has("from"))
      diagnostics.error(in.step.place, in.options.owner() + " says nothing to do",
                        "add set:, pick:, drop: or rename:");
    body.from = in.pipeline->whole_slot(in.step.input);
  }
}

void read_filter(StepInput& in) {
  // `when` is the filter's own here, and was read with the common keys.
  auto& body = in.step.body.emplace<Filter>();
  body.when = std::move(in.step.when);
  if (in.pipeline && !body.when && !in.options.has("when"))
    in.options.error("when", in.options.owner() + " needs 'when'",
                     "for example when: \"$.in.total > 0\"");
}

Switch::Case read_case(StepInput& in, const ConfigNode& node, bool& otherwise) {
  Switch::Case one;
  ConfigReader reader{node, "a case of " + in.options.owner(), in.pipeline->diagnostics(),
                      in.pipeline};
  bool is_otherwise = false;
  reader.optional("when", one.when, "Condition");
  reader.optional("otherwise", is_otherwise, "Takes what no case before took");
  const auto* steps = steps_node(reader);
  if (is_otherwise && reader.has("when"))
    reader.error("otherwise", "a case has either 'when' or 'otherwise'");
  else if (!is_otherwise && !reader.has("when"))
    reader.error("when", reader.owner() + " needs 'when' or 'otherwise: true'");
  reader.finish();
  otherwise = is_otherwise;
  if (steps)
    one.steps = in.pipeline->compile_nested(*steps);
  return one;
}

void read_switch(StepInput& in) {
  auto& body = in.step.body.emplace<Switch>();
  const auto* cases = in.options.raw(
    "cases", "list of cases",
    "`{when: …, steps: […]}`, the last perhaps `{otherwise: true, steps: […]}`; the "
    "first that is true takes the record",
    true);
  if (!cases)
    return;
  if (!cases->is_sequence() || cases->items.empty()) {
    in.options.error("cases", "'cases' must be a list of {when: …, steps: […]}, not "
                                + (cases->is_sequence() ? "an empty one" : cases->describe()));
    return;
  }
  bool any_result = false;
  bool closed = false;
  for (const auto& node : cases->items) {
    if (closed)
      in.pipeline->diagnostics().error(node.place,
                                       "no record comes to this case: 'otherwise' must stand last");
    bool otherwise = false;
    body.cases.push_back(read_case(in, node, otherwise));
    closed |= otherwise;
    any_result |= body.cases.back().steps.result != sdk::no_slot;
  }
  in.has_output = any_result;
}

void read_foreach(StepInput& in) {
  auto& body = in.step.body.emplace<Foreach>();
  std::string item = "item";
  in.options.required("in", body.in, "The array");
  in.options.optional("as", item, "The name of each item in the nested steps");
  const auto* steps = steps_node(in.options, "Run for each item");
  if (!in.pipeline) {
    in.options.optional("collect", body.collect,
                        "What is collected of each item, in order; default: each item flows on as "
                        "a record of its own");
    return;
  }
  if (!is_name(item) || item == "meta" || item == "error" || in.pipeline->is_step_name(item))
    in.options.error("as", in.options.shown("as") + " cannot name the items",
                     in.pipeline->is_step_name(item) ? "a step has that name"
                                                     : "use letters, digits, '_' and '-'");
  in.options.refuse_secret("as");
  const PipelineCompiler::Nested nested{*in.pipeline};
  body.item = in.pipeline->add_slot(item);
  in.pipeline->set_last_output(body.item);
  if (steps)
    body.steps = in.pipeline->compile_list(*steps);
  if (body.steps.result == sdk::no_slot)
    body.steps.result = body.item;
  in.options.optional("collect", body.collect, "What is collected of each item");
}

void read_parallel(StepInput& in) {
  auto& body = in.step.body.emplace<Parallel>();
  const auto* branches = in.options.raw("branches", "mapping of branches",
                                        "`{name: {steps: […]}}`; all run at once, each on its own",
                                        true);
  if (!branches)
    return;
  if (!branches->is_mapping() || branches->entries.empty()) {
    in.options.error("branches",
                     "'branches' must be a mapping of names to {steps: […]}, not "
                       + (branches->is_mapping() ? "an empty one" : branches->describe()));
    return;
  }
  for (const auto& entry : branches->entries) {
    ConfigReader reader{entry.value, "branch '" + entry.key + "' of " + in.options.owner(),
                        in.pipeline->diagnostics(), in.pipeline};
    const auto* steps = steps_node(reader);
    reader.finish();
    body.branches.emplace_back(entry.key, steps ? in.pipeline->compile_nested(*steps) : StepList{});
  }
}

void read_batch(StepInput& in) {
  auto& body = in.step.body.emplace<Gather>();
  sdk::ByteSize bytes;
  in.options.optional("count", body.count, "Records that make one");
  in.options.optional("bytes", bytes, "Size at which what is there makes one");
  in.options.optional("period", body.period, "Longest time that a record waits for others");
  in.options.optional("by", body.by, "Gathers records of one value");
  body.bytes = bytes.bytes;
  for (const auto* limit : {"count", "bytes", "period"})
    body.secret |= in.options.is_secret(limit);
  if (!in.pipeline)
    return;
  in.options.check(!body.period || body.period->count() > 0, "period", "longer than 0ms");
  if (body.count == 0 && body.bytes == 0 && !body.period)
    in.options.error("count", in.options.owner() + " needs 'count', 'bytes' or 'period'");
  body.item = in.pipeline->whole_slot(in.step.input);
  in.pipeline->forget_outputs();
}

void read_throttle(StepInput& in) {
  auto& body = in.step.body.emplace<Throttle>();
  sdk::Rate rate;
  in.options.required("rate", rate, "Records let through in a time: 100/s");
  in.options.optional("by", body.by, "Counts each value of its own");
  body.per_second = rate.per_second;
  if (in.options.has("rate"))
    in.options.check(rate.per_second > 0, "rate", "more than 0/s");
}

void read_dedupe(StepInput& in) {
  auto& body = in.step.body.emplace<Dedupe>();
  in.options.required("key", body.key, "What makes a record the same as another");
  in.options.optional("window", body.window, "How long a key is remembered");
  in.options.optional("max_keys|maxKeys", body.max_keys,
                      "Keys remembered at most; the oldest go first");
  in.options.check(body.window.count() > 0, "window", "longer than 0ms");
  in.options.check(body.max_keys > 0, "max_keys", "at least 1");
}

void read_delay(StepInput& in) {
  auto& body = in.step.body.emplace<Delay>();
  in.options.required("for", body.duration, "How long each record waits");
}

void read_log(StepInput& in) {
  auto& body = in.step.body.emplace<LogMessage>();
  in.options.choice<sdk::LogLevel>("level", body.level,
                                   {{"trace", sdk::LogLevel::trace},
                                    {"debug", sdk::LogLevel::debug},
                                    {"info", sdk::LogLevel::info},
                                    {"warn", sdk::LogLevel::warn},
                                    {"error", sdk::LogLevel::error}},
                                   "How loud");
  in.options.text_template("message", body.message, "Text; `${$.step.member}` is put in", true);
  in.options.refuse_secret("message", body.message);
}

void read_fail(StepInput& in) {
  auto& body = in.step.body.emplace<Fail>();
  in.options.text_template("message", body.message, "Why; goes to `onError` with the kind `failed`",
                           true);
  in.options.refuse_secret("message", body.message);
}

void read_call(StepInput& in) {
  auto& body = in.step.body.emplace<CallPipeline>();
  in.options.required("pipeline", body.pipeline,
                      "Name of a pipeline that begins with {type: pipeline, operation: receive}");
  in.options.optional("input", body.input, "What it gets; default: the last output");
  if (!in.pipeline)
    return;
  if (!in.options.has("input"))
    body.input = in.pipeline->whole_slot(in.step.input);
  if (in.step.operation.empty() && body.pipeline.empty())
    return;
  const auto& pipelines = in.pipeline->input().document.pipelines;
  if (!body.pipeline.empty() && !find_named(pipelines, body.pipeline))
    in.options.error("pipeline", "there is no pipeline " + in.options.shown("pipeline"),
                     sdk::did_you_mean(body.pipeline, names_of(pipelines)));
}

constexpr std::array<StepType, 12> types{{
  {"transform", "", "Builds a new output, or reshapes the last one", true, read_transform},
  {"filter", "", "Lets records pass for which `when` is true; the others are done", false,
   read_filter},
  {"switch", "", "Sends each record into the first case whose `when` is true", true, read_switch},
  {"foreach", "", "Runs its steps for each item of an array", true, read_foreach},
  {"parallel", "", "Runs several branches at once; its output has a member for each", true,
   read_parallel},
  {"batch", "", "Makes one record {items, count} of many", true, read_batch},
  {"throttle", "", "Slows records down to a rate", false, read_throttle},
  {"dedupe", "", "Drops records whose key was delivered before", false, read_dedupe},
  {"delay", "", "Lets each record wait", false, read_delay},
  {"log", "", "Writes a line into the log", false, read_log},
  {"fail", "", "Makes the record fail", false, read_fail},
  {"pipeline", "", "Hands the record to another pipeline; its output is what comes out there", true,
   read_call},
}};

}  // namespace

std::span<const StepType> control_types() {
  return types;
}

}  // namespace millrace::dsl
