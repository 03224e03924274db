// `millrace version`.
#include "connectors/sdk/connector.hpp"
#include "runtime/verbs.hpp"

#include <string>

namespace millrace::runtime {

ExitCode execute(const VersionOptions&, Console& console) {
  std::string text{"millrace " MILLRACE_VERSION "\nconnectors:"};
  for (const auto* connector : sdk::built_in_connectors())
    text.append(" ").append(connector->name);
  console.print(text + "\n");
  return ExitCode::ok;
}

}  // namespace millrace::runtime
