// PipelineCompiler, the part that reads `onError` and `deadLetter`.
#include "dsl/compile/pipeline_compiler.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::ConfigReader;

constexpr std::size_t sqlstate_length = 5;

// The names of the client's story for four of the kinds.
constexpr std::array<std::pair<std::string_view, sdk::ErrorKind>, 4> story_names{
  {{"DatabaseConnectionError", sdk::ErrorKind::connection},
   {"DatabaseExecutionError", sdk::ErrorKind::execution},
   {"DatabaseTimeoutError", sdk::ErrorKind::timeout},
   {"DatabaseTransactionError", sdk::ErrorKind::transaction}}};

bool is_sqlstate_part(std::string_view text) {
  return std::ranges::all_of(
    text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

// What `match` may hold, as the engine compares it; empty where it is nothing of the kind.
std::string canonical_match(const std::string& text) {
  for (const auto& [name, kind] : story_names) {
    if (text == name)
      return std::string{sdk::to_string(kind)};
  }
  sdk::ErrorKind kind{};
  if (sdk::parse_error_kind(text, kind))
    return text;
  const bool is_class = text.ends_with('*');
  const auto digits = std::string_view{text}.substr(0, text.size() - (is_class ? 1 : 0));
  const bool fits = is_class ? !digits.empty() && digits.size() < sqlstate_length
                             : digits.size() == sqlstate_length;
  if (fits && is_sqlstate_part(digits))
    return text;
  // statuses of HTTP, as `request` reports them
  if (text.size() == 3 && (text[0] == '4' || text[0] == '5') && is_sqlstate_part(text))
    return text;
  // errno names, as files report them
  if (text.starts_with('E') && text.size() > 2 && is_sqlstate_part(text))
    return text;
  return {};
}

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(sdk::ErrorKind::internal); ++i)
    names.push_back(sdk::to_string(static_cast<sdk::ErrorKind>(i)));
  return names;
}

}  // namespace

void read_retry_keys(ConfigReader& in, RetryPolicy& retry) {
  in.optional("attempts", retry.attempts, "In total");
  retry.secret = in.is_secret("attempts");
  in.optional("base", retry.base, "Longest first wait; doubles each time");
  in.optional("cap", retry.cap, "Longest wait");
  in.check(retry.attempts >= 1 && retry.attempts <= 1'000'000, "attempts", "between 1 and 1000000");
  in.check(retry.base.count() >= 0 && retry.base <= retry.cap, "base", "no longer than cap");
}

void read_rule_keys(ConfigReader& in, RuleKeys& keys) {
  in.optional("match", keys.match,
              "Error kinds, SQLSTATEs and their classes (\"23*\"); default: every error");
  keys.has_retry = in.section("retry", "Try again, with full jitter",
                              [&](ConfigReader& retry) { read_retry_keys(retry, keys.retry); });
  in.choice<ErrorAction>("then", keys.then,
                         {{"deadLetter", ErrorAction::dead_letter},
                          {"skip", ErrorAction::skip},
                          {"continue", ErrorAction::resume},
                          {"stop", ErrorAction::stop}},
                         "What happens when trying again is over; default: sources that answer "
                         "answer the error, others stop");
  keys.steps = in.raw("steps", "list of steps",
                      "Run first, with `$.error` {step, kind, sqlstate, message, attempts}");
}

ErrorPolicy PipelineCompiler::compile_errors(const ConfigNode* node, bool dead_letter_allowed) {
  ErrorPolicy policy;
  if (!node)
    return policy;
  if (node->is_sequence()) {
    const ConfigNode* all = nullptr;
    for (const auto& item : node->items) {
      if (all)
        diagnostics().warning(item.place, "no error comes to this rule: the one before takes all",
                              "put rules with 'match' first");
      policy.rules.push_back(compile_rule(item, dead_letter_allowed));
      if (policy.rules.back().match.empty() && !item.find("match"))
        all = &item;
    }
  } else {
    policy.rules.push_back(compile_rule(*node, dead_letter_allowed));
  }
  policy.error_slot = error_slot();
  return policy;
}

void PipelineCompiler::compile_match(const ConfigNode& node, std::vector<std::string>& match) {
  for (const auto& item : node.items)
    compile_match(item, match);
  if (!node.is_scalar())
    return;
  auto known = canonical_match(node.text);
  if (!known.empty()) {
    match.push_back(std::move(known));
    return;
  }
  const auto meant = node.secret ? std::string{} : sdk::did_you_mean(node.text, kind_names());
  diagnostics().error(node.place, "'match' knows no error " + node.describe(),
                      meant.empty() ? "an SQLSTATE like 23505, a class like 23*, or one of "
                                        + sdk::joined(kind_names())
                                    : meant);
}

ErrorRule PipelineCompiler::compile_rule(const ConfigNode& node, bool dead_letter_allowed) {
  ErrorRule rule;
  RuleKeys keys;
  ConfigReader in{node, "onError", diagnostics(), this};
  read_rule_keys(in, keys);
  in.finish();
  if (const auto* match = node.find("match"))
    compile_match(*match, rule.match);
  if (keys.has_retry)
    rule.retry = keys.retry;
  rule.then = keys.then;
  if (rule.then == ErrorAction::dead_letter && (!has_dead_letter_ || !dead_letter_allowed))
    in.error("then", "the pipeline has no 'deadLetter' step to send the record to",
             "add deadLetter: {type: file, operation: write, path: …} to the pipeline");
  if (keys.steps) {
    const Nested nested{*this};
    context_.names.push_back({"error", error_slot()});
    rule.steps = std::make_shared<const StepList>(compile_list(*keys.steps));
  }
  return rule;
}

void PipelineCompiler::compile_dead_letter(const ConfigNode& node) {
  const Nested nested{*this};
  context_.names.push_back({"error", error_slot()});
  draft_.program.dead_letter_shape = dead_letter_shape();
  last_output_ = draft_.program.dead_letter_shape->output;
  auto step = compile_step(node);
  if (!step)
    return;
  if (!std::holds_alternative<ConnectorCall>(step->body)
      && !std::holds_alternative<DatabaseCall>(step->body)) {
    diagnostics().error(
      node.place,
      "'deadLetter' must be a step that writes somewhere, such as a file or a database");
    return;
  }
  draft_.program.dead_letter = std::move(step);
}

// What is written where the deadLetter step says nothing: all outputs of the record, the error, and
// what `replay` needs to send it again: the pipeline, what came in, and what came with it.
std::unique_ptr<StepProgram> PipelineCompiler::dead_letter_shape() {
  ConfigNode record;
  record.kind = ConfigNode::Kind::mapping;
  ConfigNode path;
  path.kind = ConfigNode::Kind::scalar;
  for (const auto& name : context_.names) {
    path.text = "$." + name.name;
    if (name.name != "error" && is_name(name.name))
      record.entries.push_back({name.name, {}, path});
  }
  path.text = "$.error";
  auto shape = std::make_unique<StepProgram>();
  shape->name = "dead-letter";
  shape->type = "transform";
  auto& body = shape->body.emplace<Transform>();
  body.set.push_back({"record", compile(record, diagnostics())});
  body.set.push_back({"error", compile(path, diagnostics())});
  ConfigNode origin;
  origin.kind = ConfigNode::Kind::mapping;
  ConfigNode name;
  name.kind = ConfigNode::Kind::mapping;
  name.entries.push_back({"literal", {}, {}});
  name.entries.back().value.kind = ConfigNode::Kind::scalar;
  name.entries.back().value.text = draft_.program.name;
  name.entries.back().value.quoted = true;
  origin.entries.push_back({"pipeline", {}, std::move(name)});
  path.text = "$." + draft_.program.source.name;
  origin.entries.push_back({"payload", {}, path});
  path.text = "$.meta." + draft_.program.source.name;
  origin.entries.push_back({"meta", {}, path});
  body.set.push_back({"origin", compile(origin, diagnostics())});
  path.text = "currentdatetime()";
  body.set.push_back({"time", compile(path, diagnostics())});
  shape->output = new_slot("dead-letter");
  return shape;
}

}  // namespace millrace::dsl
