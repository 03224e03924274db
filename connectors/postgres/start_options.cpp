#include "connectors/postgres/start_options.hpp"

#include <libpq-fe.h>

#include <memory>

namespace millrace::postgres {

namespace {

// Results are read as text, so the settings that shape it are fixed here, once.
std::string session_options(const sdk::DatabaseSettings& settings) {
  std::string options =
    "-c DateStyle=ISO -c IntervalStyle=iso_8601 -c TimeZone=UTC -c extra_float_digits=1"
    " -c bytea_output=hex -c standard_conforming_strings=on";
  if (settings.statement_timeout.count() > 0)
    options += " -c statement_timeout=" + std::to_string(settings.statement_timeout.count());
  return options;
}

}  // namespace

Keywords start_options(const sdk::DatabaseSettings& settings, const sdk::DatabaseHost& host,
                       std::string_view address, std::string_view session_attributes) {
  Keywords keywords;
  const auto add = [&keywords](std::string_view key, std::string value) {
    if (!value.empty())
      keywords.emplace_back(key, std::move(value));
  };
  std::string extra;
  for (const auto& [key, value] : settings.parameters) {
    if (key == "options")
      extra = " " + value;
    else if (key != "hostaddr" || address.empty())
      add(key, value);
  }
  add("host", host.host);
  add("hostaddr", std::string{address});
  add("port", host.port == 0 ? std::string{} : std::to_string(host.port));
  add("user", settings.user);
  add("password", settings.password.current());
  add("dbname", settings.dbname);
  add("target_session_attrs", std::string{session_attributes});
  add("client_encoding", "UTF8");
  add("application_name",
      settings.application_name.empty() ? "millrace/" + settings.name : settings.application_name);
  // A bouncer hands the connection to sessions that know nothing of these.
  if (settings.pool_mode == sdk::PoolMode::session)
    add("options", session_options(settings) + extra);
  // A peer that vanished is noticed in half a minute, not in two hours.
  add("keepalives_idle", "15");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", "30000");
  return keywords;
}

ConnectionPtr start_connection(const Keywords& keywords) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : keywords) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  ConnectionPtr connection{PQconnectStartParams(names.data(), values.data(), 0)};
  // Only so do errors of the start bring their SQLSTATE, in whatever language the server speaks.
  if (connection) {
    PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
    // libpq would print them.
    PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  }
  return connection;
}

bool is_keyword(std::string_view name) {
  struct Free {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
  };

  const std::unique_ptr<PQconninfoOption, Free> options{PQconndefaults()};
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr;
       ++option) {
    if (name == option->keyword)
      return true;
  }
  return false;
}

}  // namespace millrace::postgres
