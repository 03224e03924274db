// The options of `type: generate`.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/expression.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::generate {

struct GenerateConfig {
  std::optional<std::uint64_t> count;  // none: without end
  std::optional<sdk::Rate> rate;       // none: as fast as they are taken
  std::vector<std::pair<std::string, sdk::ExpressionPtr>> set;
};

void read_config(sdk::ConfigReader& in, GenerateConfig& out);

}  // namespace millrace::generate
