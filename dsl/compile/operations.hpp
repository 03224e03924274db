// Operations of a step type by name: which one is meant, and what to say where there is none.
#pragma once

#include "connectors/sdk/connector.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::dsl {

/// The operation that is meant: the one named; else one whose name is a key of the step (`cron:
/// …`); else the first that fits its place in the pipeline. @returns null where there is none of
/// that name.
const sdk::Operation* choose_operation(const sdk::Connector& connector, const std::string& name,
                                       const sdk::ConfigNode& node, bool source);

std::vector<std::string_view> operation_names(const sdk::Connector& connector);

/// What to do about an operation that `names` does not hold.
std::string operation_hint(const std::string& operation,
                           const std::vector<std::string_view>& names);

/// Whether steps of that type have an operation of that name.
bool has_operation(std::span<const sdk::Connector* const> connectors, const std::string& type,
                   const std::string& operation);

}  // namespace millrace::dsl
