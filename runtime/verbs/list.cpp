// `millrace list connectors|functions|options`.
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/expression/function_table.hpp"
#include "dsl/schema.hpp"
#include "runtime/verbs.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace millrace::runtime {

namespace {

/// Two columns, the first as wide as it must be.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t width = 0;
  for (const auto& row : rows)
    width = std::max(width, row.first.size());
  std::string text;
  for (const auto& [left, right] : rows)
    text.append(left).append(width - left.size() + 2, ' ').append(right).append("\n");
  return text;
}

std::string list_connectors() {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto* connector : sdk::built_in_connectors()) {
    rows.emplace_back(connector->name, connector->doc);
    for (const auto& operation : connector->operations) {
      if (!operation.name.empty())
        rows.emplace_back("  " + std::string{operation.name}, operation.doc);
    }
  }
  return two_columns(rows);
}

std::string list_functions() {
  std::string text;
  for (const auto& function : dsl::functions())
    text.append(function.signature)
      .append("\n    ")
      .append(function.doc)
      .append("\n    ")
      .append(function.example)
      .append("\n");
  return text;
}

}  // namespace

ExitCode execute(const ListOptions& options, Console& console) {
  if (options.what == "connectors") {
    console.print(list_connectors());
    return ExitCode::ok;
  }
  if (options.what == "functions") {
    console.print(list_functions());
    return ExitCode::ok;
  }
  const auto text = dsl::option_reference(sdk::built_in_connectors(), options.type);
  if (text.empty()) {
    console.complain("there is no step type '" + options.type + "'",
                     "`millrace list options` shows all of them");
    return ExitCode::failed;
  }
  console.print(text);
  return ExitCode::ok;
}

}  // namespace millrace::runtime
