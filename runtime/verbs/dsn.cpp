// `millrace dsn parse|mask|is-multihost|build`.
#include "connectors/sdk/dsn.hpp"

#include "connectors/sdk/json.hpp"
#include "connectors/sdk/secret.hpp"
#include "runtime/verbs.hpp"

#include <string>

namespace millrace::runtime {

namespace {

/// The parameters as libpq has them: hosts and ports comma-joined, every value a text.
sdk::Value libpq_parameters(const sdk::Dsn& dsn, bool show_password) {
  auto parameters = sdk::Value::object();
  for (const auto& [name, value] : sdk::dsn_parameters(dsn)) {
    const bool hidden = sdk::is_secret_dsn_keyword(name) && !show_password;
    parameters.set(name, hidden ? std::string{"***"} : value);
  }
  return parameters;
}

ExitCode parse(const DsnOptions& options, Console& console) {
  const auto dsn = sdk::parse_dsn(options.url);
  if (!dsn) {
    console.complain(dsn.error());
    return ExitCode::failed;
  }
  console.print(sdk::to_json(libpq_parameters(*dsn, options.show_password)) + "\n");
  return ExitCode::ok;
}

ExitCode is_multihost(const DsnOptions& options, Console& console) {
  const auto several = sdk::is_dsn_multihost(options.url);
  if (!several) {
    console.complain(several.error());
    return ExitCode::failed;
  }
  console.print(*several ? "true\n" : "false\n");
  return ExitCode::ok;
}

ExitCode build(const DsnOptions& options, Console& console) {
  const auto built = sdk::build_db_dsn(options.url, options.database, options.target_session_attrs);
  if (!built) {
    console.complain(built.error());
    return ExitCode::failed;
  }
  // Not masked: it is built to be used. `dsn mask` is for showing.
  console.print(*built + "\n");
  return ExitCode::ok;
}

}  // namespace

ExitCode execute(const DsnOptions& options, Console& console) {
  switch (options.action) {
  case DsnAction::parse:
    return parse(options, console);
  case DsnAction::mask:
    console.print(sdk::mask_dsn(options.url) + "\n");
    return ExitCode::ok;
  case DsnAction::is_multihost:
    return is_multihost(options, console);
  case DsnAction::build:
    return build(options, console);
  }
  return ExitCode::internal;
}

}  // namespace millrace::runtime
