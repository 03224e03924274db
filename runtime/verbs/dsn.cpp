// `millrace dsn parse|mask|is-multihost|build`.
#include "connectors/sdk/dsn.hpp"

#include "connectors/sdk/json.hpp"
#include "connectors/sdk/secret.hpp"
#include "runtime/verbs.hpp"

#include <algorithm>
#include <string>

namespace millrace::runtime {

namespace {

/// The parameters as libpq has them: hosts and ports comma-joined, every value a text.
sdk::Value libpq_parameters(const sdk::Dsn& dsn, bool show_password) {
  std::string hosts;
  std::string ports;
  for (const auto& host : dsn.hosts) {
    const char* comma = &host == &dsn.hosts.front() ? "" : ",";
    hosts.append(comma).append(host.host);
    ports.append(comma).append(host.port);
  }
  auto parameters = sdk::Value::object();
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty())
      parameters.set(name, value);
  };
  add("host", hosts);
  if (std::ranges::any_of(dsn.hosts, [](const auto& host) { return !host.port.empty(); }))
    add("port", ports);
  add("user", dsn.user);
  if (dsn.password)
    parameters.set("password", show_password ? *dsn.password : std::string{"***"});
  add("dbname", dsn.dbname);
  for (const auto& [name, value] : dsn.parameters) {
    const bool hidden = name.find("password") != std::string::npos && !show_password;
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
