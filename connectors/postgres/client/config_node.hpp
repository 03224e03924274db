// Data as the options that a ConfigReader reads.
#pragma once

#include "connectors/postgres/client/config.hpp"
#include "connectors/sdk/config_node.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::postgres {

/// @param from where it comes from, for messages; may be null.
/// @param secret nothing of it may be shown. Urls and passwords never are.
sdk::ConfigNode node_of(const sdk::Value& value, const std::shared_ptr<const std::string>& from,
                        bool secret);

/// Reads and checks the options of one server.
sdk::Result<Settings> read_node(std::string_view name, sdk::ConfigNode node,
                                std::vector<std::pair<std::string, std::string>> parameters);

}  // namespace millrace::postgres
