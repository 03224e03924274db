#include "dsl/option_tables.hpp"

#include "dsl/compile/pipeline_compiler.hpp"
#include "dsl/compile/receive_reader.hpp"
#include "dsl/compile/servers.hpp"
#include "dsl/document.hpp"

#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigReader;
using sdk::OptionSpec;

template <class Read>
std::vector<OptionSpec> describe(Read read) {
  std::vector<OptionSpec> specs;
  auto in = ConfigReader::describing(specs);
  read(in);
  return specs;
}

StepTable describe_operation(const sdk::Connector& connector, const sdk::Operation& operation) {
  StepTable table{std::string{connector.name},
                  std::string{operation.name},
                  std::string{operation.doc},
                  std::string{operation.guarantee},
                  operation.source ? StepRole::source : StepRole::step,
                  {}};
  table.options = describe([&](ConfigReader& in) {
    if (operation.source)
      static_cast<void>(operation.source(in));
    else
      static_cast<void>(operation.step(in));
  });
  return table;
}

StepTable describe_own(const StepType& type) {
  StepTable table{std::string{type.type}, std::string{type.operation},
                  std::string{type.doc},  {},
                  StepRole::step,         {}};
  table.options = describe([&](ConfigReader& in) {
    StepProgram step;
    StepInput input{in, nullptr, step, type.has_output};
    type.read(input);
  });
  return table;
}

OptionSpec text_option(std::string name, std::string doc) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.type = "text";
  spec.doc = std::move(doc);
  return spec;
}

}  // namespace

std::vector<StepTable> step_tables(std::span<const sdk::Connector* const> connectors) {
  std::vector<StepTable> tables;
  for (const auto* connector : connectors) {
    for (const auto& operation : connector->operations)
      tables.push_back(describe_operation(*connector, operation));
  }
  tables.push_back({"pipeline",
                    "receive",
                    "Takes the records that other pipelines hand over",
                    {},
                    StepRole::source,
                    {}});
  const auto& receive = database_receive_operation();
  tables.push_back({"database", std::string{receive.name}, std::string{receive.doc},
                    std::string{receive.guarantee}, StepRole::source,
                    describe([](ConfigReader& in) {
                      SourceProgram source;
                      read_database_receive(in, nullptr, source);
                    })});
  for (const auto* type : own_types())
    tables.push_back(describe_own(*type));
  return tables;
}

std::vector<OptionSpec> file_options() {
  return describe([](ConfigReader& in) { describe_file_keys(in); });
}

std::vector<OptionSpec> pipeline_options() {
  return describe([](ConfigReader& in) {
    PipelineKeys keys;
    read_pipeline_keys(in, keys);
  });
}

std::vector<ServerTable> server_tables(std::span<const sdk::Connector* const> connectors) {
  const auto table = [](std::string protocol, const sdk::Connector* connector) {
    return ServerTable{std::move(protocol),
                       describe([&](ConfigReader& in) { describe_server(connector, in); })};
  };
  std::vector<ServerTable> tables{table("database", nullptr)};
  for (const auto* connector : connectors) {
    if (connector->server)
      tables.push_back(table(std::string{connector->name}, connector));
  }
  return tables;
}

std::vector<OptionSpec> scheme_options() {
  return describe([](ConfigReader& in) { describe_scheme(in); });
}

std::vector<OptionSpec> rule_options() {
  return describe([](ConfigReader& in) {
    RuleKeys keys;
    read_rule_keys(in, keys);
  });
}

std::vector<OptionSpec> common_options(StepRole role) {
  std::vector<OptionSpec> specs{
    text_option(
      "name",
      "Unique in its pipeline; `$.name` is the step's output. Letters, digits, `_` and `-`"),
    text_option("type", "Kind of step"),
    text_option("operation", "What it does, or the name of a preset")};
  auto common = describe([](ConfigReader& in) {
    StepProgram step;
    CommonKeys keys;
    read_common_keys(in, step, keys);
  });
  for (auto& spec : common) {
    if (role == StepRole::step || spec.name == "description" || spec.name == "onError")
      specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace millrace::dsl
