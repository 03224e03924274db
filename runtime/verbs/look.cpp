// `millrace validate`, `explain`, `graph` and `schema`: they load and tell, and run nothing.
#include "actors/statement_check.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/json.hpp"
#include "dsl/explain.hpp"
#include "dsl/graph.hpp"
#include "dsl/schema.hpp"
#include "runtime/load_files.hpp"
#include "runtime/verbs.hpp"

#include <string>

namespace millrace::runtime {

namespace {

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

ExitCode execute(const ValidateOptions& options, Console& console) {
  const auto program = load_files(options.files, console);
  if (!program)
    return ExitCode::config;
  std::string done = "ok: " + counted(program->pipelines.size(), "pipeline") + ", "
                     + counted(program->servers.size(), "server");
  if (options.against_db) {
    const auto reactor = asio::make_reactor();
    sdk::Diagnostics diagnostics;
    const auto check = actors::check_statements(program, {.reactor = reactor.get()}, diagnostics);
    console.report(diagnostics);
    if (diagnostics.has_errors())
      return check.unreachable > 0 ? ExitCode::unavailable : ExitCode::config;
    done += ", " + counted(check.checked, "statement") + " asked about";
    if (check.left_out > 0)
      done += ", " + std::to_string(check.left_out) + " that only running them would tell";
  }
  console.print(done + "\n");
  return ExitCode::ok;
}

ExitCode execute(const ExplainOptions& options, Console& console) {
  const auto program = load_files(options.files, console);
  if (!program)
    return ExitCode::config;
  console.print(dsl::explain(*program));
  return ExitCode::ok;
}

ExitCode execute(const GraphOptions& options, Console& console) {
  const auto program = load_files(options.files, console);
  if (!program)
    return ExitCode::config;
  console.print(options.format == GraphFormat::dot ? dsl::to_dot(*program)
                                                   : dsl::to_mermaid(*program));
  return ExitCode::ok;
}

ExitCode execute(const SchemaOptions&, Console& console) {
  console.print(sdk::to_pretty_json(dsl::json_schema(sdk::built_in_connectors())) + "\n");
  return ExitCode::ok;
}

}  // namespace millrace::runtime
