#include "dsl/expression/eval.hpp"

#include "dsl/expression/compiler.hpp"
#include "dsl/expression/jsonpath.hpp"

#include <cstdlib>

namespace millrace::dsl {

namespace {

sdk::ConfigNode scalar_node(std::string_view text) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::scalar;
  node.text = text;
  return node;
}

sdk::Error first_error(const sdk::Diagnostics& diagnostics) {
  const auto& first = diagnostics.all().front();
  return {sdk::ErrorKind::config, first.message, {.hint = first.hint}};
}

}  // namespace

sdk::Result<sdk::Value> eval_jsonpath(std::string_view path, const sdk::Value& document,
                                      EvalJsonPathOptions options) {
  const auto parsed = JsonPath::parse(path, {.strict = options.strict});
  if (!parsed)
    return parsed.error();
  auto out = sdk::Value::array();
  if (options.paths) {
    const auto paths = parsed->select_paths(document);
    if (!paths)
      return paths.error();
    for (const auto& each : *paths)
      out.push_back(sdk::Value{each});
    return out;
  }
  std::vector<const sdk::Value*> nodes;
  if (auto status = parsed->select(document, nodes); !status)
    return status.error();
  for (const auto* node : nodes)
    out.push_back(*node);
  return out;
}

sdk::Result<sdk::Value> eval_expression(std::string_view text, const sdk::Value& document,
                                        const sdk::Clock& clock) {
  CompileContext context;
  context.result_root = true;
  context.clock = &clock;
  context.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(
      name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody changes it
    return value ? std::optional<std::string>{value} : std::nullopt;
  };
  sdk::Diagnostics diagnostics;
  const auto expression = Compiler{context}.compile(scalar_node(text), diagnostics);
  if (!expression)
    return first_error(diagnostics);
  return expression->evaluate({.result = &document});
}

sdk::Result<bool> eval_condition(std::string_view text, const sdk::Value& document) {
  CompileContext context;
  context.result_root = true;
  sdk::Diagnostics diagnostics;
  const auto condition = Compiler{context}.compile_condition(scalar_node(text), diagnostics);
  if (!condition)
    return first_error(diagnostics);
  return condition->test({.result = &document});
}

}  // namespace millrace::dsl
