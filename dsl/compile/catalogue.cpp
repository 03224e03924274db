#include "dsl/compile/catalogue.hpp"

#include <algorithm>
#include <array>

namespace millrace::dsl {

namespace {

// Connectors that some build may have.
constexpr std::array<std::string_view, 12> known_types{"kafka", "http",  "redis",    "lua",
                                                       "file",  "stdin", "stdout",   "generate",
                                                       "drop",  "timer", "postgres", "sqlite"};

}  // namespace

std::vector<const StepType*> own_types() {
  std::vector<const StepType*> types;
  for (const auto& type : database_types())
    types.push_back(&type);
  for (const auto& type : control_types())
    types.push_back(&type);
  return types;
}

const sdk::Connector* find_connector(std::span<const sdk::Connector* const> connectors,
                                     std::string_view name) {
  const auto found = std::ranges::find_if(
    connectors, [&](const sdk::Connector* one) { return one->name == name; });
  return found == connectors.end() ? nullptr : *found;
}

bool is_known_type(std::string_view name) {
  return std::ranges::find(known_types, name) != known_types.end();
}

std::vector<std::string_view> type_names(std::span<const sdk::Connector* const> connectors) {
  std::vector<std::string_view> names;
  for (const auto* connector : connectors) {
    if (!connector->operations.empty())
      names.push_back(connector->name);
  }
  for (const auto* type : own_types()) {
    if (std::ranges::find(names, type->type) == names.end())
      names.push_back(type->type);
  }
  return names;
}

}  // namespace millrace::dsl
