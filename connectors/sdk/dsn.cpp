#include "connectors/sdk/dsn.hpp"

#include "connectors/sdk/dsn_text.hpp"

#include <algorithm>
#include <cstddef>

namespace millrace::sdk {

namespace {

Error bad_dsn(std::string message, std::string hint = {}) {
  return {ErrorKind::config, std::move(message), {.hint = std::move(hint)}};
}

// "postgresql+asyncpg" -> "postgres"; empty for what is no database of ours.
std::string_view driver_of(std::string_view scheme) {
  const auto base = scheme.substr(0, scheme.find('+'));
  if (base == "postgres" || base == "postgresql")
    return "postgres";
  if (base == "sqlite" || base == "sqlite3")
    return "sqlite";
  return {};
}

// Splits "host:port"; brackets hold an IPv6 address, a leading slash a socket directory.
Result<DsnHost> parse_host(std::string_view text) {
  DsnHost host;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return bad_dsn("the address has '[' without ']'");
    host.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const bool bare_ipv6 = std::count(text.begin(), text.end(), ':') > 1;
    const auto colon = bare_ipv6 || text.starts_with('/') ? std::string_view::npos : text.find(':');
    const auto decoded = percent_decode(text.substr(0, colon));
    if (!decoded)
      return bad_dsn("the host's percent-encoding is broken");
    host.host = *decoded;
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (rest.empty())
    return host;
  if (rest.front() != ':')
    return bad_dsn("something stands between the host and its port");
  host.port = rest.substr(1);
  return host;
}

Status add_hosts(Dsn& dsn, std::string_view list) {
  for (const auto part : split_at(list, ',')) {
    auto host = parse_host(part);
    if (!host)
      return host.error();
    dsn.hosts.push_back(std::move(*host));
  }
  return {};
}

// Ports said apart from the hosts: one for all, or one for each.
Status pair_ports(Dsn& dsn, std::string_view ports) {
  const auto list = split_at(ports, ',');
  if (dsn.hosts.empty())
    dsn.hosts.emplace_back();
  if (list.size() != 1 && list.size() != dsn.hosts.size())
    return bad_dsn("there are " + std::to_string(dsn.hosts.size()) + " hosts and "
                     + std::to_string(list.size()) + " ports",
                   "give one port, or one for each host");
  for (std::size_t i = 0; i < dsn.hosts.size(); ++i) {
    if (dsn.hosts[i].port.empty())
      dsn.hosts[i].port = list.size() == 1 ? list[0] : list[i];
  }
  return {};
}

// Settings that came by name are moved to the fields that they mean.
Status take_parameters(Dsn& dsn, const std::vector<std::pair<std::string, std::string>>& given) {
  std::string ports;
  bool first_host = true;
  for (const auto& [key, value] : given) {
    if (key == "host") {
      // The first `host` takes the place of what the authority said, as libpq has it; the next ones
      // add.
      if (first_host && dsn.hosts.size() == 1 && ports.empty())
        ports = dsn.hosts[0].port;
      if (first_host)
        dsn.hosts.clear();
      first_host = false;
      if (auto added = add_hosts(dsn, value); !added)
        return added;
    } else if (key == "port") {
      ports = value;
      for (auto& host : dsn.hosts)
        host.port.clear();
    } else if (key == "user") {
      dsn.user = value;
    } else if (key == "password") {
      dsn.password = value;
    } else if (key == "dbname" || key == "database") {
      dsn.dbname = value;
    } else {
      dsn.set(key, value);
    }
  }
  return ports.empty() ? Status{} : pair_ports(dsn, ports);
}

Result<Dsn> parse_sqlite(std::string_view scheme, std::string_view rest) {
  Dsn dsn{.scheme = std::string{scheme}, .driver = "sqlite"};
  const auto question = rest.find('?');
  auto path = rest.substr(0, question);
  // sqlite:///relative, sqlite:////absolute, sqlite::memory:, sqlite:relative
  if (path.starts_with("///"))
    path.remove_prefix(3);
  else if (path.starts_with("//"))
    path.remove_prefix(2);
  const auto decoded = percent_decode(path);
  if (!decoded)
    return bad_dsn("the path's percent-encoding is broken");
  dsn.dbname = decoded->empty() ? ":memory:" : *decoded;
  if (question != std::string_view::npos) {
    auto given = parse_query(rest.substr(question + 1));
    if (!given)
      return bad_dsn("the settings behind '?' are not of the form name=value");
    dsn.parameters = std::move(*given);
  }
  return dsn;
}

Result<Dsn> parse_uri(std::string_view scheme, std::string_view rest) {
  Dsn dsn{.scheme = std::string{scheme}, .driver = std::string{driver_of(scheme)}};
  const auto question = rest.find('?');
  std::string_view query;
  if (question != std::string_view::npos) {
    query = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  const auto slash = rest.find('/');
  auto authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) {
    const auto name = percent_decode(rest.substr(slash + 1));
    if (!name)
      return bad_dsn("the database name's percent-encoding is broken");
    dsn.dbname = *name;
  }
  // The last @ ends the credentials: a password may hold one unencoded.
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto credentials = authority.substr(0, at);
    authority = authority.substr(at + 1);
    const auto colon = credentials.find(':');
    const auto user = percent_decode(credentials.substr(0, colon));
    if (!user)
      return bad_dsn("the user's percent-encoding is broken");
    dsn.user = *user;
    if (colon != std::string_view::npos) {
      const auto password = percent_decode(credentials.substr(colon + 1));
      if (!password)
        return bad_dsn("the password's percent-encoding is broken",
                       "write a '%' in a password as %25");
      dsn.password = *password;
    }
  }
  if (!authority.empty()) {
    if (auto added = add_hosts(dsn, authority); !added)
      return added.error();
  }
  const auto given = parse_query(query);
  if (!given)
    return bad_dsn("the settings behind '?' are not of the form name=value");
  if (auto taken = take_parameters(dsn, *given); !taken)
    return taken.error();
  return dsn;
}

Result<Dsn> parse_keywords(std::string_view text) {
  const auto given = parse_keyword_string(text);
  if (!given || given->empty())
    return bad_dsn("it is neither a URL nor a list of name=value",
                   "for example postgresql://user@host:5432/name or sqlite:///file.db");
  Dsn dsn{.driver = "postgres"};
  if (auto taken = take_parameters(dsn, *given); !taken)
    return taken.error();
  return dsn;
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
  if (text.find('\0') != std::string_view::npos)
    return bad_dsn("it holds a NUL byte");
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto scheme = text.substr(0, colon);
    const auto rest = text.substr(colon + 1);
    const bool names_a_scheme = !scheme.empty()
                                && scheme.find_first_of("= /'") == std::string_view::npos;
    if (names_a_scheme && driver_of(scheme) == "sqlite")
      return parse_sqlite(scheme, rest);
    if (names_a_scheme && rest.starts_with("//")) {
      if (driver_of(scheme).empty())
        return bad_dsn("there is no database driver for '" + std::string{scheme} + "://'",
                       "drivers are postgres and sqlite");
      return parse_uri(scheme, rest.substr(2));
    }
  }
  return parse_keywords(text);
}

std::string to_uri(const Dsn& dsn) {
  if (dsn.driver == "sqlite") {
    std::string uri = "sqlite:";
    if (dsn.dbname != ":memory:")
      uri += "///";
    return uri + (dsn.dbname == ":memory:" ? dsn.dbname : percent_encode(dsn.dbname, "/"))
           + format_query(dsn.parameters);
  }
  std::string uri = dsn.scheme.empty() ? "postgresql" : dsn.scheme;
  uri += "://";
  if (!dsn.user.empty() || dsn.password) {
    uri += percent_encode(dsn.user);
    if (dsn.password)
      uri.append(":").append(percent_encode(*dsn.password));
    uri += "@";
  }
  auto parameters = dsn.parameters;
  bool first = true;
  for (const auto& [host, port] : dsn.hosts) {
    if (!first)
      uri += ",";
    first = false;
    uri += host.find(':') == std::string::npos ? percent_encode(host) : "[" + host + "]";
    if (!port.empty())
      uri.append(":").append(port);
  }
  uri.append("/").append(percent_encode(dsn.dbname));
  return uri + format_query(parameters);
}

Result<bool> is_dsn_multihost(std::string_view text) {
  const auto dsn = parse_dsn(text);
  if (!dsn)
    return dsn.error();
  return dsn->hosts.size() > 1;
}

Result<std::string> build_db_dsn(std::string_view text, std::string_view dbname,
                                 std::string_view target_session_attrs) {
  auto dsn = parse_dsn(text);
  if (!dsn)
    return dsn.error();
  if (!dbname.empty())
    dsn->dbname = dbname;
  if (!target_session_attrs.empty())
    dsn->set("target_session_attrs", std::string{target_session_attrs});
  return to_uri(*dsn);
}

}  // namespace millrace::sdk
