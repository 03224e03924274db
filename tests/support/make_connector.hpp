// Makes sources and steps from options, as a pipeline file would.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "support/config_nodes.hpp"
#include "support/fake_expressions.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::test {

using Options = std::vector<std::pair<std::string, sdk::ConfigNode>>;

inline const sdk::Operation& operation_of(const sdk::Connector& connector, std::string_view name) {
  for (const sdk::Operation& operation : connector.operations)
    if (operation.name == name)
      return operation;
  return connector.operations.front();
}

/// @returns empty where the options are wrong; `diagnostics` says why.
inline sdk::SourceFactory source_factory(const sdk::Connector& connector,
                                         std::string_view operation, Options options,
                                         sdk::Diagnostics& diagnostics) {
  const auto node = mapping(std::move(options));
  FakeCompiler compiler;
  sdk::ConfigReader reader{node, "source 'in'", diagnostics, &compiler};
  return operation_of(connector, operation).source(reader);
}

inline sdk::StepFactory step_factory(const sdk::Connector& connector, std::string_view operation,
                                     Options options, sdk::Diagnostics& diagnostics) {
  const auto node = mapping(std::move(options));
  FakeCompiler compiler;
  sdk::ConfigReader reader{node, "step 'out'", diagnostics, &compiler};
  return operation_of(connector, operation).step(reader);
}

}  // namespace millrace::test
