#include "dsl/server_settings.hpp"

#include "dsl/compile/servers.hpp"
#include "dsl/document.hpp"
#include "dsl/overrides.hpp"

#include <cassert>
#include <utility>

namespace millrace::dsl {

ServerSettings load_server_settings(const LoadOptions& options) {
  assert(options.environment);
  ServerSettings result;
  auto document = read_documents(options.files, *options.environment, result.diagnostics);
  apply_overrides(document, options.profile, options.sets, *options.environment,
                  result.diagnostics);
  auto servers = compile_servers(document, options.connectors, *options.environment,
                                 result.diagnostics);
  result.diagnostics.sort();
  if (result.diagnostics.has_errors())
    return result;
  for (auto& server : servers) {
    if (server.database)
      result.servers.emplace(server.name, std::move(server.database));
  }
  return result;
}

}  // namespace millrace::dsl
