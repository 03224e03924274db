#include "connectors/sdk/dsn_reader.hpp"

#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/dsn_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace millrace::sdk {

namespace {

constexpr std::string_view encoding_hint =
  "in a user, password or name write / as %2F, ? as %3F, @ as %40 and % as %25";

// "postgresql+asyncpg" -> "postgres"; empty for what is no database of ours.
std::string_view driver_of(std::string_view scheme) {
  const auto base = lower(scheme.substr(0, scheme.find('+')));
  if (base == "postgres" || base == "postgresql")
    return "postgres";
  if (base == "sqlite" || base == "sqlite3")
    return "sqlite";
  return {};
}

bool is_scheme(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+'
           || c == '-' || c == '.' || c == '_';
  });
}

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= 65535;
}

/// The values that a setting may have; empty: any.
std::vector<std::string_view> values_of(std::string_view name) {
  if (name == "sslmode")
    return {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  if (name == "target_session_attrs")
    return {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"};
  return {};
}

}  // namespace

Error DsnReader::fail(std::size_t offset, std::string reason, std::string hint) const {
  return {ErrorKind::config,
          std::move(reason) + " at column " + std::to_string(offset + 1),
          {.hint = std::move(hint)}};
}

std::size_t DsnReader::offset_of(std::string_view part) const noexcept {
  return static_cast<std::size_t>(part.data() - text_.data());
}

Result<std::string> DsnReader::decode(std::string_view part, std::string_view what) const {
  auto decoded = percent_decode(part);
  if (!decoded)
    return fail(offset_of(part), "broken percent-encoding in the " + std::string{what},
                std::string{encoding_hint});
  return std::move(*decoded);
}

Result<Dsn> DsnReader::read() {
  if (const auto nul = text_.find('\0'); nul != std::string_view::npos)
    return fail(nul, "a NUL byte");
  const auto colon = text_.find(':');
  const auto scheme = text_.substr(0, colon);
  Status done;
  if (colon != std::string_view::npos && is_scheme(scheme)
      && (driver_of(scheme) == "sqlite" || text_.substr(colon).starts_with("://"))) {
    dsn_.scheme = scheme;
    dsn_.driver = driver_of(scheme);
    if (dsn_.driver.empty())
      return Error{ErrorKind::config,
                   "there is no database driver for '" + dsn_.scheme + "://'",
                   {.hint = "drivers are postgres and sqlite"}};
    const auto rest = text_.substr(colon + 1);
    done = dsn_.driver == "sqlite" ? read_sqlite(rest) : read_uri(rest.substr(2));
  } else {
    dsn_.driver = "postgres";
    done = read_keywords();
  }
  if (!done)
    return std::move(done).error();
  return std::move(dsn_);
}

// sqlite:///relative, sqlite:////absolute, sqlite::memory:, sqlite:relative
Status DsnReader::read_sqlite(std::string_view rest) {
  const auto question = rest.find('?');
  auto path = rest.substr(0, question);
  if (path.starts_with("//"))
    path.remove_prefix(path.starts_with("///") ? 3 : 2);
  auto decoded = decode(path, "path");
  if (!decoded)
    return std::move(decoded).error();
  dsn_.dbname = decoded->empty() ? ":memory:" : std::move(*decoded);
  return question == std::string_view::npos ? Status{} : read_query(rest.substr(question + 1));
}

Status DsnReader::read_uri(std::string_view rest) {
  if (const auto at = find_credentials_end(rest)) {
    if (auto taken = read_credentials(rest.substr(0, *at)); !taken)
      return taken;
    rest.remove_prefix(*at + 1);
  }
  const auto hosts = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(hosts.size());
  if (!hosts.empty()) {
    if (auto taken = read_hosts(hosts, true); !taken)
      return taken;
  }
  // A port is looked at before the rest: where a password holds a slash, it is what looks wrong.
  if (auto good = check_ports(); !good)
    return good;
  const auto question = rest.find('?');
  if (rest.starts_with('/')) {
    if (auto taken = read_dbname(rest.substr(1, question - 1)); !taken)
      return taken;
  }
  if (question != std::string_view::npos) {
    if (auto taken = read_query(rest.substr(question + 1)); !taken)
      return taken;
  }
  return pair_ports();
}

Status DsnReader::read_credentials(std::string_view credentials) {
  const auto colon = credentials.find(':');
  auto user = decode(credentials.substr(0, colon), "user");
  if (!user)
    return std::move(user).error();
  dsn_.user = std::move(*user);
  if (colon == std::string_view::npos || colon + 1 == credentials.size())
    return {};
  auto password = decode(credentials.substr(colon + 1), "password");
  if (!password)
    return std::move(password).error();
  dsn_.password = std::move(*password);
  return {};
}

Status DsnReader::read_dbname(std::string_view path) {
  if (const auto at = path.find('@'); at != std::string_view::npos)
    return fail(offset_of(path) + at, "a raw '@' behind the hosts", std::string{encoding_hint});
  auto name = decode(path, "database's name");
  if (!name)
    return std::move(name).error();
  dsn_.dbname = std::move(*name);
  return {};
}

Status DsnReader::read_hosts(std::string_view list, bool encoded) {
  for (const auto part : split_at(list, ',')) {
    if (auto taken = read_host(part, encoded); !taken)
      return taken;
  }
  return {};
}

// host, host:port, [address]:port; a socket's directory has no port of this form.
Status DsnReader::read_host(std::string_view text, bool encoded) {
  // Of a decoded value the columns are lost.
  const auto place = encoded ? offset_of(text) : 0;
  DsnHost host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return fail(place, "a '[' without ']'");
    if (end == 1)
      return fail(place, "an empty address []");
    host.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':')
      return fail(place + end + 1, "something between an address and its port");
  } else {
    const bool bare_ipv6 = !encoded && std::ranges::count(text, ':') > 1;
    const bool path = text.starts_with('/') || text.starts_with('@');
    const auto colon = bare_ipv6 || path ? std::string_view::npos : text.find(':');
    host.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (encoded) {
    auto decoded = decode(text.substr(text.starts_with('[') ? 1 : 0, host.host.size()), "host");
    if (!decoded)
      return std::move(decoded).error();
    host.host = std::move(*decoded);
  }
  if (host.host.find_first_of("[],") != std::string::npos)
    return fail(place, "a host with a bracket or comma in it");
  if (!rest.empty())
    host.port = rest.substr(1);
  dsn_.hosts.push_back(std::move(host));
  return {};
}

Status DsnReader::read_query(std::string_view query) {
  if (query.size() > 1 && query.ends_with('&'))
    query.remove_suffix(1);
  if (query.empty())
    return {};
  const bool may_show = query.find('@') == std::string_view::npos;
  for (const auto part : split_at(query, '&')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos)
      return fail(offset_of(part), "a setting without '='", std::string{encoding_hint});
    const auto raw_value = part.substr(equals + 1);
    if (raw_value.find('=') != std::string_view::npos)
      return fail(offset_of(raw_value), "a second '=' in a setting", "in a value write = as %3D");
    auto name = decode(part.substr(0, equals), "name of a setting");
    if (!name)
      return std::move(name).error();
    auto value = decode(raw_value, "value of a setting");
    if (!value)
      return std::move(value).error();
    if (auto taken = take(
          {std::move(*name), std::move(*value), offset_of(part), offset_of(raw_value), may_show});
        !taken)
      return taken;
  }
  return {};
}

Status DsnReader::read_keywords() {
  auto pairs = parse_keyword_string(text_);
  if (!pairs.problem.empty() && pairs.read.empty())
    return Error{ErrorKind::config,
                 "it is neither a URL nor a list of name=value",
                 {.hint = "for example postgresql://user@host:5432/name or sqlite:///file.db"}};
  if (!pairs.problem.empty())
    return fail(pairs.problem_offset, std::move(pairs.problem),
                "put a value with blanks into single quotes");
  bool may_show = true;
  for (auto& pair : pairs.read) {
    const bool secret = is_secret_dsn_keyword(pair.name);
    if (auto taken = take({std::move(pair.name), std::move(pair.value), pair.name_offset,
                           pair.value_offset, may_show});
        !taken)
      return taken;
    may_show = may_show && !secret;
  }
  return pair_ports();
}

Status DsnReader::check_name(const Setting& setting) const {
  const bool sqlite = dsn_.driver == "sqlite";
  const auto& known = sqlite ? sqlite_keywords() : postgres_keywords();
  if (std::ranges::find(known, setting.name) != known.end())
    return {};
  auto hint = did_you_mean(setting.name, known);
  if (hint.empty() && (setting.name == "database" || setting.name == "db"))
    hint = "did you mean 'dbname'?";
  if (hint.empty())
    hint = sqlite ? "settings are those of SQLite's URIs, such as mode"
                  : "settings are libpq's keywords, such as sslmode";
  return fail(setting.name_offset,
              setting.may_show_name ? "the unknown setting '" + setting.name + "'"
                                    : std::string{"an unknown setting"},
              std::move(hint));
}

Status DsnReader::check_value(const Setting& setting) const {
  const auto allowed = values_of(setting.name);
  if (allowed.empty() || std::ranges::find(allowed, setting.value) != allowed.end())
    return {};
  std::string list;
  for (const auto value : allowed)
    list.append(list.empty() ? "" : ", ").append(value);
  return fail(setting.value_offset, "a value that '" + setting.name + "' does not have",
              "it is one of " + list);
}

Status DsnReader::take(Setting setting) {
  if (setting.name == "ssl" && dsn_.driver == "postgres") {
    // libpq has ssl=true for JDBC's sake; asyncpg's ssl takes the modes.
    const bool with_driver = dsn_.scheme.find('+') != std::string::npos;
    if (setting.value == "true")
      setting = {"sslmode", "require", setting.name_offset, setting.value_offset, true};
    else if (with_driver)
      setting.name = "sslmode";
  }
  if (auto known = check_name(setting); !known)
    return known;
  if (auto good = check_value(setting); !good)
    return good;
  if (setting.name == "host")
    return take_host(setting);
  if (setting.name == "port") {
    ports_ = std::move(setting.value);
    port_setting_ = true;
  } else if (setting.name == "user") {
    dsn_.user = std::move(setting.value);
  } else if (setting.name == "password") {
    dsn_.password = std::move(setting.value);
  } else if (setting.name == "dbname") {
    dsn_.dbname = std::move(setting.value);
  } else {
    dsn_.set(setting.name, std::move(setting.value));
  }
  return {};
}

// The first `host` takes the place of the authority's, as libpq has it, but not of its ports; the
// next ones of a URI add to it. In a keyword string the last one counts.
Status DsnReader::take_host(const Setting& setting) {
  if (!host_setting_ || dsn_.scheme.empty()) {
    for (std::size_t i = 0; !host_setting_ && i < dsn_.hosts.size(); ++i)
      ports_.append(i == 0 ? "" : ",").append(dsn_.hosts[i].port);
    dsn_.hosts.clear();
  }
  host_setting_ = true;
  if (auto taken = read_hosts(setting.value, false); !taken)
    return fail(setting.value_offset, "a host that cannot be read",
                "an IPv6 address with a port is written [address]:port");
  return {};
}

// Ports said apart from the hosts: one for all, or one for each; a port at its host goes first.
Status DsnReader::pair_ports() {
  if (port_setting_ && !host_setting_) {
    for (auto& host : dsn_.hosts)
      host.port.clear();
  }
  if (ports_.find_first_not_of(',') != std::string::npos) {
    const auto list = split_at(ports_, ',');
    const auto addresses = dsn_.find("hostaddr");
    if (dsn_.hosts.empty())
      dsn_.hosts.resize(addresses ? split_at(*addresses, ',').size() : 1);
    if (list.size() != 1 && list.size() != dsn_.hosts.size())
      return Error{ErrorKind::config,
                   "there are " + std::to_string(dsn_.hosts.size()) + " hosts and "
                     + std::to_string(list.size()) + " ports",
                   {.hint = "give one port, or one for each host"}};
    for (std::size_t i = 0; i < dsn_.hosts.size(); ++i) {
      if (dsn_.hosts[i].port.empty())
        dsn_.hosts[i].port = list.size() == 1 ? list[0] : list[i];
    }
  }
  return check_ports();
}

Status DsnReader::check_ports() const {
  for (std::size_t i = 0; i < dsn_.hosts.size(); ++i) {
    const auto& host = dsn_.hosts[i];
    const std::string which = dsn_.hosts.size() == 1 ? "the host" : "host " + std::to_string(i + 1);
    if (!host.port.empty() && !is_port(host.port))
      return Error{ErrorKind::config,
                   "the port of " + which + " is no number from 1 to 65535",
                   {.hint = std::string{encoding_hint}}};
  }
  return {};
}

}  // namespace millrace::sdk
