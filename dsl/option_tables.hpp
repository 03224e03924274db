// Option tables: what the readers list in describing mode, for every part of a file.
#pragma once

#include "connectors/sdk/connector.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::dsl {

enum class StepRole : std::uint8_t { source, step };

/// One operation of a step type.
struct StepTable {
  std::string type;
  std::string operation;  // empty where the type has a single, nameless one
  std::string doc;
  std::string guarantee;
  StepRole role = StepRole::step;
  std::vector<sdk::OptionSpec> options;  // its own, without the common ones
};

/// Of all types of this build, by type in the order of the catalogue.
std::vector<StepTable> step_tables(std::span<const sdk::Connector* const> connectors);

/// Options of a server of one protocol.
struct ServerTable {
  std::string protocol;
  std::vector<sdk::OptionSpec> options;
};

/// Databases first, then those of the connectors.
std::vector<ServerTable> server_tables(std::span<const sdk::Connector* const> connectors);

std::vector<sdk::OptionSpec> file_options();
std::vector<sdk::OptionSpec> pipeline_options();
std::vector<sdk::OptionSpec> scheme_options();
std::vector<sdk::OptionSpec> rule_options();

/// Keys that every step has; those of a source are fewer.
std::vector<sdk::OptionSpec> common_options(StepRole role);

}  // namespace millrace::dsl
