// Any text as an expression, a template and a condition over a record. Each compiles or is refused
// with a reason; what compiles evaluates to a value or an error.
#include "connectors/sdk/json.hpp"
#include "dsl/expression/compiler.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace millrace;

void require(bool holds) {
  if (!holds)
    std::abort();
}

sdk::ConfigNode scalar(std::string_view text) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::scalar;
  node.text = text;
  return node;
}

struct World {
  World() {
    context.names = {{"in", 0}, {"score-it", 1}};
    context.meta = {{"in", 2}};
    context.variable = [](const std::string&) { return std::optional<std::string>{"value"}; };
    record.set(0, *sdk::parse_json(
                    R"({"id": 7, "t": "2026-05-31T10:00:00Z", "n": [1, 2.50, 3], "s": "text"})"));
    record.set(1, *sdk::parse_json(R"({"rows": [{"a": 1}, {"A": 2}]})"));
    record.set(2, *sdk::parse_json(R"({"offset": 1})"));
  }

  dsl::CompileContext context;
  sdk::Record record;
};

void check(const sdk::ExpressionPtr& expression, const sdk::Diagnostics& diagnostics,
           const World& world) {
  require((expression != nullptr) != diagnostics.has_errors());
  if (!expression)
    return;
  const sdk::Value& result = world.record.get(1);
  if (const auto value = expression->evaluate({.record = &world.record, .result = &result}))
    static_cast<void>(sdk::to_json(*value));
  else
    require(!value.error().message().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (const bool result_root : {false, true}) {
    world.context.result_root = result_root;
    dsl::Compiler compiler{world.context};
    sdk::Diagnostics of_expression;
    check(compiler.compile(scalar(text), of_expression), of_expression, world);
    for (const auto use : {sdk::TextUse::plain, sdk::TextUse::url, sdk::TextUse::header}) {
      sdk::Diagnostics of_text;
      check(compiler.compile_text_for(use, scalar(text), of_text), of_text, world);
    }
    sdk::Diagnostics of_condition;
    const auto condition = compiler.compile_condition(scalar(text), of_condition);
    require((condition != nullptr) != of_condition.has_errors());
    if (condition) {
      const sdk::Value& result = world.record.get(1);
      static_cast<void>(condition->test({.record = &world.record, .result = &result}));
    }
  }
  return 0;
}
