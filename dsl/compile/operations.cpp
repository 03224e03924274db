#include "dsl/compile/operations.hpp"

#include "dsl/compile/catalogue.hpp"

#include <algorithm>

namespace millrace::dsl {

namespace {

bool belongs(const sdk::Operation& operation, bool source) {
  return source ? operation.source != nullptr : operation.step != nullptr;
}

}  // namespace

const sdk::Operation* choose_operation(const sdk::Connector& connector, const std::string& name,
                                       const sdk::ConfigNode& node, bool source) {
  for (const auto& operation : connector.operations) {
    if (!name.empty() && operation.name == name)
      return &operation;
  }
  if (!name.empty())
    return nullptr;
  for (const auto& operation : connector.operations) {
    if (belongs(operation, source) && !operation.name.empty() && node.find(operation.name))
      return &operation;
  }
  for (const auto& operation : connector.operations) {
    if (belongs(operation, source))
      return &operation;
  }
  return connector.operations.empty() ? nullptr : &connector.operations.front();
}

std::vector<std::string_view> operation_names(const sdk::Connector& connector) {
  std::vector<std::string_view> names;
  for (const auto& operation : connector.operations) {
    if (!operation.name.empty())
      names.push_back(operation.name);
  }
  return names;
}

std::string operation_hint(const std::string& operation,
                           const std::vector<std::string_view>& names) {
  if (names.empty())
    return "leave 'operation' out";
  auto meant = sdk::did_you_mean(operation, names);
  if (!meant.empty())
    return meant;
  std::string list;
  for (const auto name : names)
    list.append(list.empty() ? "it has " : ", ").append(name);
  return list;
}

bool has_operation(std::span<const sdk::Connector* const> connectors, const std::string& type,
                   const std::string& operation) {
  for (const auto* own : own_types()) {
    if (own->type == type && own->operation == operation)
      return true;
  }
  const auto* connector = find_connector(connectors, type);
  return connector
         && std::ranges::find(connector->operations, operation, &sdk::Operation::name)
              != connector->operations.end();
}

}  // namespace millrace::dsl
