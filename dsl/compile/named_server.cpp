#include "dsl/compile/named_server.hpp"

namespace millrace::dsl {

namespace {

// @returns no_server where there is not exactly one of that protocol.
std::size_t only_one(const std::vector<ServerProgram>& servers, std::string_view protocol) {
  std::size_t found = no_server;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (servers[i].protocol != protocol)
      continue;
    if (found != no_server)
      return no_server;
    found = i;
  }
  return found;
}

}  // namespace

std::size_t find_named_server(const std::vector<ServerProgram>& servers,
                              const sdk::ConfigNode* node, std::string_view protocol,
                              const sdk::Place& place, const std::string& owner,
                              sdk::Diagnostics& diagnostics) {
  if (!node) {
    const auto found = only_one(servers, protocol);
    if (found == no_server)
      diagnostics.error(place, owner + " needs 'server'",
                        servers.empty()
                          ? "declare one under servers:"
                          : "there are several, or none of protocol " + std::string{protocol});
    return found;
  }
  if (!node->is_scalar()) {
    diagnostics.error(node->place,
                      "'server' must be the name of a server, not " + node->describe());
    return no_server;
  }
  std::size_t found = no_server;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    names.push_back(servers[i].name);
    if (servers[i].name == node->text)
      found = i;
  }
  if (found == no_server) {
    diagnostics.error(node->place, "there is no server " + node->describe(),
                      names.empty() ? "declare it under servers:"
                                    : sdk::did_you_mean(node->text, names));
  } else if (servers[found].protocol != protocol) {
    diagnostics.error(node->place, "the server " + node->describe() + " is no "
                                     + std::string{protocol == "database" ? "" : protocol}
                                     + (protocol == "database" ? "database" : " server"));
    found = no_server;
  }
  return found;
}

}  // namespace millrace::dsl
