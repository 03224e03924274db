// What one evaluation costs. `$.step.a.b` should stay under 60 ns.
#include "connectors/sdk/json.hpp"
#include "dsl/expression/compiler.hpp"
#include "dsl/expression/jsonpath.hpp"

#include <benchmark/benchmark.h>
#include <string>

namespace {

using namespace millrace;

constexpr const char* order =
  R"({"id": 7, "country": "DE", "total": 120.5, "customer": {"name": "Ada", "id": "c-1"},
  "address": {"city": "Rome", "zip": "00100"}, "lines": [{"sku": "a", "price": 1.5}, {"sku": "b", "price": 20}]})";

sdk::ConfigNode scalar(const std::string& text) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::scalar;
  node.text = text;
  node.quoted = true;
  return node;
}

dsl::CompileContext context_of_two() {
  dsl::CompileContext context;
  context.names = {{"receive-orders", 0}, {"score", 1}};
  context.meta = {{"receive-orders", 2}};
  return context;
}

sdk::Record record_of_order() {
  sdk::Record record;
  record.set(0, *sdk::parse_json(order));
  record.set(1, *sdk::parse_json(R"({"loyaltyScore": 42})"));
  record.set(2, *sdk::parse_json(R"({"offset": 99, "topic": "orders", "partition": 3})"));
  return record;
}

void evaluate(benchmark::State& state, const char* text) {
  const auto context = context_of_two();
  const auto record = record_of_order();
  sdk::Diagnostics diagnostics;
  const auto expression = dsl::Compiler{context}.compile(scalar(text), diagnostics);
  if (!expression) {
    state.SkipWithError(diagnostics.to_string().c_str());
    return;
  }
  for (auto _ : state) {
    auto value = expression->evaluate({.record = &record});
    benchmark::DoNotOptimize(value);
  }
}

void test(benchmark::State& state, const char* text) {
  const auto context = context_of_two();
  const auto record = record_of_order();
  sdk::Diagnostics diagnostics;
  const auto condition = dsl::Compiler{context}.compile_condition(scalar(text), diagnostics);
  if (!condition) {
    state.SkipWithError(diagnostics.to_string().c_str());
    return;
  }
  for (auto _ : state) {
    auto truth = condition->test({.record = &record});
    benchmark::DoNotOptimize(truth);
  }
}

void select(benchmark::State& state, const char* text) {
  const auto path = dsl::JsonPath::parse(text);
  const auto value = *sdk::parse_json(order);
  std::vector<const sdk::Value*> nodes;
  for (auto _ : state) {
    nodes.clear();
    auto status = path->select(value, nodes);
    benchmark::DoNotOptimize(status);
  }
}

void parse(benchmark::State& state, const char* text) {
  for (auto _ : state) {
    auto path = dsl::JsonPath::parse(text);
    benchmark::DoNotOptimize(path);
  }
}

BENCHMARK_CAPTURE(evaluate, two_parts, "$.receive-orders.total");
BENCHMARK_CAPTURE(evaluate, three_parts, "$.receive-orders.customer.id");
BENCHMARK_CAPTURE(evaluate, five_parts, "$.receive-orders.lines[1].price");
BENCHMARK_CAPTURE(evaluate, meta, "$.meta.receive-orders.offset");
BENCHMARK_CAPTURE(evaluate, filter, "$.receive-orders.lines[?@.price > 10].sku");
BENCHMARK_CAPTURE(evaluate, call, "concat($.receive-orders.country, '-', $.receive-orders.id)");
BENCHMARK_CAPTURE(evaluate, text_template, "${$.receive-orders.country}-${$.receive-orders.id}");
BENCHMARK_CAPTURE(evaluate, dateadd, "dateadd(currentdatetime(), '-P90D')");
BENCHMARK_CAPTURE(evaluate, uuid, "uuid()");
BENCHMARK_CAPTURE(test, and_of_two,
                  "$.receive-orders.total >= 100 && $.receive-orders.country == 'DE'");
BENCHMARK_CAPTURE(test, match, "match($.receive-orders.country, 'D[A-Z]')");
BENCHMARK_CAPTURE(select, descendants, "$..price");
BENCHMARK_CAPTURE(parse, filter, "$.lines[?@.price > 10 && match(@.sku, '[a-z]+')].sku");

}  // namespace
