// The server that a step names.
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "dsl/program.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::dsl {

inline constexpr std::size_t no_server = static_cast<std::size_t>(-1);

/// Which of `servers` a step means: the one that `node` names, or the only one of `protocol` where
/// `node` is null. @param place where the step stands. @param owner the step, for messages.
/// @returns no_server after it has reported a mistake.
std::size_t find_named_server(const std::vector<ServerProgram>& servers,
                              const sdk::ConfigNode* node, std::string_view protocol,
                              const sdk::Place& place, const std::string& owner,
                              sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
