#include "dsl/compile/database_server.hpp"

#include "dsl/compile/named_server.hpp"

namespace millrace::dsl {

namespace {

bool is_expression(const sdk::ConfigNode& node) {
  if (node.is_mapping())
    return true;
  return !node.is_text
         && (node.text.starts_with('$') || node.text.ends_with(')')
             || node.find_template() != std::string::npos);
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
  if (node && is_expression(*node)) {
    if (name)
      *name = in.pipeline->compile(*node, diagnostics);
    else
      diagnostics.error(node->place, "the server of a transaction must be named, not computed");
    return;
  }
  server = find_named_server(servers, node, "database", in.options.place_of("server"),
                             in.options.owner(), diagnostics);
}

}  // namespace millrace::dsl
