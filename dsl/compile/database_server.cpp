#include "dsl/compile/database_server.hpp"

#include <vector>

namespace millrace::dsl {

namespace {

bool is_expression(const sdk::ConfigNode& node) {
  if (node.is_mapping())
    return true;
  return !node.is_text
         && (node.text.starts_with('$') || node.text.ends_with(')')
             || node.find_template() != std::string::npos);
}

// @returns no_server where there is not exactly one database.
std::size_t only_database(const std::vector<ServerProgram>& servers) {
  std::size_t found = no_server;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (servers[i].protocol != "database")
      continue;
    if (found != no_server)
      return no_server;
    found = i;
  }
  return found;
}

}  // namespace

void read_database_server(StepInput& in, std::size_t& server, sdk::ExpressionPtr* name) {
  server = no_server;
  const auto* node = in.options.raw("server", name ? "text or expression" : "text",
                                    "A server of protocol database; default: the only one");
  if (!in.pipeline)
    return;
  auto& diagnostics = in.pipeline->diagnostics();
  const auto& servers = in.pipeline->input().servers;
  if (!node) {
    server = only_database(servers);
    if (server == no_server)
      in.options.error("server", in.options.owner() + " needs 'server'",
                       servers.empty() ? "declare one under servers:"
                                       : "there are several, or none of protocol database");
    return;
  }
  if (is_expression(*node)) {
    if (name)
      *name = in.pipeline->compile(*node, diagnostics);
    else
      diagnostics.error(node->place, "the server of a transaction must be named, not computed");
    return;
  }
  if (!node->is_scalar()) {
    diagnostics.error(node->place,
                      "'server' must be the name of a server, not " + node->describe());
    return;
  }
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    names.push_back(servers[i].name);
    if (servers[i].name == node->text)
      server = i;
  }
  if (server == no_server) {
    diagnostics.error(node->place, "there is no server " + node->describe(),
                      names.empty() ? "declare it under servers:"
                                    : sdk::did_you_mean(node->text, names));
  } else if (servers[server].protocol != "database") {
    diagnostics.error(node->place, "the server " + node->describe() + " is no database");
    server = no_server;
  }
}

}  // namespace millrace::dsl
