#include "connectors/sdk/dsn.hpp"

#include "connectors/sdk/dsn_reader.hpp"
#include "connectors/sdk/dsn_text.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::sdk {

namespace {

constexpr std::string_view memory = ":memory:";

/// host:port with brackets round an IPv6 address; the directory of a socket may hold colons too.
std::string format_host(const DsnHost& host, std::string_view keep) {
  const bool address = host.host.find(':') != std::string::npos && !host.host.starts_with('/')
                       && !host.host.starts_with('@');
  auto text = address ? "[" + percent_encode(host.host, ":") + "]"
                      : percent_encode(host.host, keep);
  if (!host.port.empty())
    text.append(":").append(host.port);
  return text;
}

std::string sqlite_uri(const Dsn& dsn) {
  std::string uri = dsn.scheme.empty() ? "sqlite" : dsn.scheme;
  uri += dsn.dbname == memory ? ":" : ":///";
  return uri + (dsn.dbname == memory ? dsn.dbname : percent_encode(dsn.dbname, "/"))
         + format_query(dsn.parameters);
}

std::string credentials_of(const Dsn& dsn) {
  if (dsn.user.empty() && !dsn.password)
    return {};
  auto text = percent_encode(dsn.user);
  if (dsn.password)
    text.append(":").append(percent_encode(*dsn.password));
  return text + "@";
}

}  // namespace

const std::string* Dsn::find(std::string_view parameter) const noexcept {
  for (const auto& [key, value] : parameters) {
    if (key == parameter)
      return &value;
  }
  return nullptr;
}

void Dsn::set(std::string_view parameter, std::string value) {
  for (auto& [key, old] : parameters) {
    if (key == parameter) {
      old = std::move(value);
      return;
    }
  }
  parameters.emplace_back(parameter, std::move(value));
}

void Dsn::erase(std::string_view parameter) {
  std::erase_if(parameters, [&](const auto& entry) { return entry.first == parameter; });
}

Result<Dsn> parse_dsn(std::string_view text) {
  return DsnReader{text}.read();
}

std::vector<std::pair<std::string, std::string>> dsn_parameters(const Dsn& dsn) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto add = [&](std::string_view name, std::string value) {
    if (value.find_first_not_of(',') != std::string::npos || (name == "host" && !value.empty()))
      out.emplace_back(name, std::move(value));
  };
  std::string hosts;
  std::string ports;
  for (std::size_t i = 0; i < dsn.hosts.size(); ++i) {
    hosts.append(i == 0 ? "" : ",").append(dsn.hosts[i].host);
    ports.append(i == 0 ? "" : ",").append(dsn.hosts[i].port);
  }
  add("host", std::move(hosts));
  add("port", std::move(ports));
  add("user", dsn.user);
  if (dsn.password)
    out.emplace_back("password", *dsn.password);
  add("dbname", dsn.dbname);
  out.insert(out.end(), dsn.parameters.begin(), dsn.parameters.end());
  return out;
}

std::string to_uri(const Dsn& dsn) {
  if (dsn.driver == "sqlite")
    return sqlite_uri(dsn);
  std::string uri = (dsn.scheme.empty() ? "postgresql" : dsn.scheme) + "://" + credentials_of(dsn);
  const bool hosts_as_settings = dsn.hosts.size() > 1 && dsn.scheme.find('+') != std::string::npos;
  std::string query;
  for (std::size_t i = 0; i < dsn.hosts.size(); ++i) {
    if (hosts_as_settings)
      query.append(i == 0 ? "?host=" : "&host=").append(format_host(dsn.hosts[i], "/"));
    else
      uri.append(i == 0 ? "" : ",").append(format_host(dsn.hosts[i], ""));
  }
  uri.append("/").append(percent_encode(dsn.dbname));
  auto others = format_query(dsn.parameters);
  if (!query.empty() && !others.empty())
    others.front() = '&';
  return uri + query + others;
}

Result<bool> is_dsn_multihost(std::string_view text) {
  const auto dsn = parse_dsn(text);
  if (!dsn)
    return dsn.error();
  const auto* addresses = dsn->find("hostaddr");
  return dsn->hosts.size() > 1 || (addresses && addresses->find(',') != std::string::npos);
}

Result<std::string> build_db_dsn(std::string_view text, std::string_view dbname,
                                 std::string_view target_session_attrs) {
  auto dsn = parse_dsn(text);
  if (!dsn)
    return dsn.error();
  if (!dbname.empty())
    dsn->dbname = dbname;
  if (target_session_attrs.empty())
    return to_uri(*dsn);
  if (dsn->driver == "sqlite")
    return Error{ErrorKind::config, "a sqlite database has no target_session_attrs"};
  dsn->set("target_session_attrs", std::string{target_session_attrs});
  auto uri = to_uri(*dsn);
  // What is handed out can be read again, so a role that does not exist is found here.
  if (auto again = parse_dsn(uri); !again)
    return Error{ErrorKind::config,
                 "target_session_attrs does not have that value",
                 {.hint = again.error().hint()}};
  return uri;
}

}  // namespace millrace::sdk
