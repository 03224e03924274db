// JSON text into Value and out again: records of about 200 bytes with eight mixed fields, beside
// what simdjson's parser alone and nlohmann::json need for the same texts.
#include "connectors/sdk/json.hpp"

#include <nlohmann/json.hpp>

#include <benchmark/benchmark.h>
#include <numeric>
#include <random>
#include <simdjson.h>
#include <string>
#include <vector>

namespace millrace::sdk {

namespace {

/// The same in every run.
std::vector<std::string> make_records() {
  std::mt19937_64 random{42};
  const std::vector<std::string> cities{"Rome", "Berlin", "Sankt Peter-Ording", "Zürich"};
  std::vector<std::string> records;
  for (int i = 0; i < 1000; ++i) {
    const auto id = std::to_string(random() % 10'000'000);
    records.push_back(R"({"id":)" + id + R"(,"customerId":"C-)" + id + R"(","total":)"
                      + std::to_string(random() % 1000) + "." + std::to_string(random() % 90 + 11)
                      + R"(,"city":")" + cities[random() % 4] + R"(","paid":)"
                      + (random() % 2 ? "true" : "false")
                      + R"(,"created":"2026-03-01T12:34:56.789Z","lines":[)"
                      + std::to_string(random() % 100) + ",2,3" + R"(],"comment":")"
                      + "please leave it at the door" + std::string(random() % 20, '!') + R"("})");
  }
  return records;
}

const std::vector<std::string>& records() {
  static const auto all = make_records();
  return all;
}

void count(benchmark::State& state) {
  const auto bytes = std::accumulate(records().begin(), records().end(), std::size_t{0},
                                     [](auto sum, const auto& text) { return sum + text.size(); });
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(records().size()) * state.iterations());
}

void text_to_value(benchmark::State& state) {
  JsonReader reader;
  for (auto _ : state) {
    for (const auto& text : records())
      benchmark::DoNotOptimize(reader.parse(text));
  }
  count(state);
}

BENCHMARK(text_to_value);

void value_to_text(benchmark::State& state) {
  std::vector<Value> values;
  for (const auto& text : records())
    values.push_back(*parse_json(text));
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (const auto& value : values)
      append_json(out, value);
    benchmark::DoNotOptimize(out.data());
  }
  count(state);
}

BENCHMARK(value_to_text);

void text_to_value_to_text(benchmark::State& state) {
  JsonReader reader;
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (const auto& text : records())
      append_json(out, *reader.parse(text));
    benchmark::DoNotOptimize(out.data());
  }
  count(state);
}

BENCHMARK(text_to_value_to_text);

void copy_and_set(benchmark::State& state) {
  const auto original = *parse_json(records()[0]);
  for (auto _ : state) {
    auto copy = original;
    copy.set("paid", true);
    benchmark::DoNotOptimize(copy);
  }
}

BENCHMARK(copy_and_set);

void find_last_of_eight(benchmark::State& state) {
  const auto value = *parse_json(records()[0]);
  for (auto _ : state)
    benchmark::DoNotOptimize(value.find("comment"));
}

BENCHMARK(find_last_of_eight);

/// Only simdjson's own tape, no values of ours: the floor.
void simdjson_dom_parse_only(benchmark::State& state) {
  simdjson::dom::parser parser;
  std::vector<simdjson::padded_string> padded;
  for (const auto& text : records())
    padded.emplace_back(text);
  for (auto _ : state) {
    for (const auto& text : padded)
      benchmark::DoNotOptimize(parser.parse(text).value_unsafe());
  }
  count(state);
}

BENCHMARK(simdjson_dom_parse_only);

void nlohmann_parse(benchmark::State& state) {
  for (auto _ : state) {
    for (const auto& text : records())
      benchmark::DoNotOptimize(nlohmann::json::parse(text));
  }
  count(state);
}

BENCHMARK(nlohmann_parse);

void nlohmann_dump(benchmark::State& state) {
  std::vector<nlohmann::json> values;
  for (const auto& text : records())
    values.push_back(nlohmann::json::parse(text));
  for (auto _ : state) {
    for (const auto& value : values)
      benchmark::DoNotOptimize(value.dump());
  }
  count(state);
}

BENCHMARK(nlohmann_dump);

}  // namespace

}  // namespace millrace::sdk
