#include "millrace/yaml.hpp"

#include "connectors/sdk/connector.hpp"
#include "dsl/server_settings.hpp"
#include "runtime/environment.hpp"

#include <array>
#include <utility>

namespace millrace {

namespace postgres {
extern const sdk::Connector connector;
}

Result<std::map<std::string, postgres::Settings>> load_yaml(const YamlSources& sources) {
  const std::array connectors{&postgres::connector};
  const runtime::ProcessEnvironment environment;
  auto loaded = dsl::load_server_settings({.files = sources.files,
                                           .sets = sources.sets,
                                           .profile = sources.profile,
                                           .connectors = connectors,
                                           .environment = &environment});
  if (loaded.diagnostics.has_errors())
    return Error{ErrorKind::config, loaded.diagnostics.to_string()};
  return std::move(loaded.servers);
}

}  // namespace millrace
