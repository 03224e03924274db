#include "connectors/sdk/database_settings.hpp"

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/dsn.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace millrace::sdk {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds longest_wait = 24h * 365;
constexpr std::uint32_t most_attempts = 100;
constexpr std::uint32_t most_connections = 10'000;

// A duration whose bare number counts in `unit`: libraries that people come from say `timeout: 30`.
void duration(ConfigReader& in, std::string_view name, milliseconds& out, std::string_view doc,
              milliseconds unit = 1s) {
  const auto* node = in.raw(name, "duration",
                            std::string{doc} + "; default: " + format_duration(out));
  if (node == nullptr)
    return;
  const auto first_name = name.substr(0, name.find('|'));
  const auto parsed = node->is_scalar() ? parse_duration(node->text, unit) : std::nullopt;
  if (!parsed || *parsed < 0ms || *parsed > longest_wait)
    in.error(first_name, "'" + std::string{first_name} + "' is no duration",
             "for example 500ms, 30s or 10m");
  else
    out = *parsed;
}

void read_lane(ConfigReader& in, PoolSettings& pool) {
  in.optional("connections", pool.lane_connections,
              "Connections of the shared lane; 0: a quarter of the limit, at least one");
  in.optional("depth", pool.lane_depth, "Statements in flight on one of them");
  in.check(pool.lane_depth >= 1 && pool.lane_depth <= 4096, "depth", "between 1 and 4096");
}

void read_pool(ConfigReader& in, PoolSettings& pool) {
  std::optional<std::uint32_t> pool_size;
  std::optional<std::uint32_t> overflow;
  in.optional("min_size|min_pool_size", pool.min_size, "Connections kept open");
  in.optional("max_size|max_pool_size", pool.max_size, "Most connections, of all kinds together");
  in.optional("pool_size", pool_size,
              "The same as max_size, with max_overflow 10 unless that is given");
  in.optional("max_overflow", overflow, "Connections above max_size under load; default: 0");
  if (pool_size) {
    in.check(!in.has("max_size") && !in.has("max_pool_size"), "pool_size",
             "given without max_size");
    pool.max_size = *pool_size;
    pool.max_overflow = 10;
  }
  pool.max_overflow = overflow.value_or(pool.max_overflow);
  duration(in, "timeout|pool_timeout", pool.timeout, "How long a request waits for a connection");
  duration(in, "timeout_ms", pool.timeout, "The same, a bare number in milliseconds", 1ms);
  in.optional("max_waiting", pool.max_waiting,
              "Requests that may wait before new ones are refused");
  duration(in, "max_lifetime|pool_recycle", pool.max_lifetime,
           "Age at which a connection is replaced; 0: never");
  duration(in, "max_idle", pool.max_idle,
           "Idle time after which a connection above min_size is closed; 0: never");
  in.optional("pre_ping|pool_pre_ping", pool.pre_ping,
              "Check a connection that was idle for 1 s before it is lent");
  in.optional("lifo|pool_use_lifo", pool.lifo, "Use the connection that was used last");
  duration(in, "leak_threshold", pool.leak_threshold,
           "Log a session that is held for longer; 0: off");
  in.section("shared_lane", "The connections that run autocommit statements of everybody",
             [&](ConfigReader& lane) { read_lane(lane, pool); });
  in.check(pool.max_size >= 1 && pool.max_size <= most_connections, "max_size",
           "between 1 and 10000");
  in.check(pool.max_overflow <= most_connections, "max_overflow", "between 0 and 10000");
  in.check(pool.min_size <= pool.max_size, "min_size", "no more than max_size");
  in.check(pool.max_waiting >= 1, "max_waiting", "at least 1");
}

void read_retry(ConfigReader& in, DatabaseRetry& retry) {
  in.optional(
    "attempts", retry.attempts,
    "Attempts in total; default: DB_RETRY_RETRIES_NUMBER or DB_UTILS_RETRIES_NUMBER of the "
    "environment, else 3");
  duration(in, "base", retry.conflict_base, "First wait after a conflict, before jitter", 1ms);
  duration(in, "connection_base", retry.connection_base,
           "First wait after a lost connection, before jitter", 1ms);
  duration(in, "cap", retry.cap, "Longest wait");
  in.check(!retry.attempts || (*retry.attempts >= 1 && *retry.attempts <= most_attempts),
           "attempts", "between 1 and 100");
}

bool to_port(std::string_view text, std::uint16_t& port) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value < 1 || value > 65535)
    return false;
  port = static_cast<std::uint16_t>(value);
  return true;
}

std::string password_in(const std::string& url) {
  const auto dsn = parse_dsn(url);
  return dsn && dsn->password ? *dsn->password : std::string{};
}

void take_url(ConfigReader& in, const Secret& url, DatabaseSettings& settings) {
  auto dsn = parse_dsn(url.reveal());
  if (!dsn) {
    // What our messages take from the text stands in quotes.
    const bool quotes = (dsn.error().message() + dsn.error().hint()).find('\'')
                        != std::string::npos;
    const auto error = in.is_secret("url|dsn") && quotes ? dsn.error().masked() : dsn.error();
    in.error("url", "'url' is no database address: " + error.message(), error.hint());
    return;
  }
  settings.driver = dsn->driver;
  settings.hosts.clear();
  for (const auto& [host, port] : dsn->hosts) {
    DatabaseHost entry{.host = host};
    if (!port.empty() && !to_port(port, entry.port))
      in.error("url", "'url' has a port that is no number from 1 to 65535");
    settings.hosts.push_back(std::move(entry));
  }
  if (!dsn->user.empty())
    settings.user = dsn->user;
  if (dsn->password)
    settings.password = url.derived(&password_in);
  if (!dsn->dbname.empty())
    settings.dbname = dsn->dbname;
  if (const auto* attrs = dsn->find("target_session_attrs"))
    settings.target_session_attrs = *attrs;
  dsn->erase("target_session_attrs");
  settings.parameters = dsn->parameters;
}

// The address, said by a url or field by field; the fields win.
void read_address(ConfigReader& in, DatabaseSettings& settings) {
  Secret url;
  in.optional(
    "url|dsn", url,
    "postgresql://user:password@host:port/name, name=value …, sqlite:///file or sqlite::memory:");
  if (!url.empty())
    take_url(in, url, settings);
  std::optional<std::string> driver;
  in.optional("driver", driver, "postgres or sqlite; default: what the url says");
  if (driver)
    settings.driver = *driver == "postgresql" ? "postgres" : *driver;
  std::vector<std::string> names;
  std::optional<std::int64_t> port;
  in.optional("host", names, "Host name, address or socket directory; a list for several");
  in.optional("port", port, "Port, 1 to 65535");
  in.check(!port || (*port >= 1 && *port <= 65535), "port", "between 1 and 65535");
  if (!names.empty()) {
    settings.hosts.clear();
    for (auto& name : names)
      settings.hosts.push_back({std::move(name), 0});
  }
  if (port && *port >= 1 && *port <= 65535) {
    if (settings.hosts.empty())
      settings.hosts.emplace_back();
    for (auto& host : settings.hosts)
      host.port = static_cast<std::uint16_t>(*port);
  }
  in.optional("user|username", settings.user, "User name");
  in.optional("password", settings.password, "Password");
  in.optional("dbname|database", settings.dbname, "Name of the database; sqlite: its file");
  for (const auto* part : {"url|dsn", "host", "user|username", "dbname|database"})
    settings.secret_address |= in.is_secret(part);
}

void check_address(ConfigReader& in, const DatabaseSettings& settings) {
  if (in.is_describing())
    return;
  if (settings.driver.empty() && !in.has("url") && !in.has("dsn"))
    in.error("url", "it says neither 'url' nor 'driver'",
             "for example url: postgresql://user@host:5432/name, or url: sqlite:///file.db");
  if (settings.driver == "sqlite" && settings.dbname.empty())
    in.error("dbname", "'dbname' must name the file of the database",
             "for example url: sqlite:///orders.db");
}

}  // namespace

std::uint32_t DatabaseRetry::default_attempts() {
  for (const char* name : {"DB_RETRY_RETRIES_NUMBER", "DB_UTILS_RETRIES_NUMBER"}) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody here sets variables
    const char* text = std::getenv(name);
    if (text == nullptr)
      continue;
    std::uint32_t value = 0;
    const auto* last = text + std::string_view{text}.size();
    const auto [end, failure] = std::from_chars(text, last, value);
    if (failure == std::errc{} && end == last && value >= 1 && value <= most_attempts)
      return value;
  }
  return 3;
}

std::uint32_t PoolSettings::lane_limit() const noexcept {
  const auto wanted = lane_connections > 0 ? lane_connections : limit() / 4;
  return std::clamp<std::uint32_t>(wanted, 1, std::max<std::uint32_t>(1, limit()));
}

void read_batching(ConfigReader& in, bool& batching) {
  const std::vector<std::pair<std::string_view, bool>> ways{{"auto", true}, {"off", false}};
  in.choice(
    "batching", batching, ways,
    "`auto` runs statements together that wait together, where that gives the same answers");
}

void read_database_settings(ConfigReader& in, DatabaseSettings& settings) {
  read_address(in, settings);
  const std::vector<std::pair<std::string_view, std::string>> roles{
    {"any", "any"},         {"read-write", "read-write"}, {"read-only", "read-only"},
    {"primary", "primary"}, {"standby", "standby"},       {"prefer-standby", "prefer-standby"}};
  in.choice("target_session_attrs", settings.target_session_attrs, roles,
            "Which of several hosts will do");
  in.optional("application_name", settings.application_name,
              "What the server shows; default: millrace/<server>");
  duration(in, "connect_timeout", settings.connect_timeout, "How long to try each host");
  duration(in, "statement_timeout", settings.statement_timeout,
           "Longest a statement may run; 0: no limit");
  duration(in, "idle_in_transaction", settings.idle_in_transaction,
           "Longest a transaction may sit idle before it is rolled back; 0: no limit");
  in.optional("statement_cache", settings.statement_cache,
              "Prepared statements per connection; 0: none");
  const std::vector<std::pair<std::string_view, PoolMode>> modes{
    {"session", PoolMode::session}, {"transaction", PoolMode::transaction}};
  in.choice("pool_mode", settings.pool_mode, modes,
            "`transaction` behind a PgBouncer in that mode");
  read_batching(in, settings.batching);
  in.optional("echo", settings.echo, "Log statements, never their values");
  in.section("pool", "The pool of connections",
             [&](ConfigReader& pool) { read_pool(pool, settings.pool); });
  duration(in, "timeout_ms", settings.pool.timeout,
           "The same as pool.timeout, a bare number in milliseconds", 1ms);
  in.optional("min_pool_size", settings.pool.min_size, "The same as pool.min_size");
  in.optional("max_pool_size", settings.pool.max_size, "The same as pool.max_size");
  // What stands in `pool` has been checked there.
  if (in.has("min_pool_size") || in.has("max_pool_size")) {
    in.check(settings.pool.max_size >= 1 && settings.pool.max_size <= most_connections,
             "max_pool_size", "between 1 and 10000");
    in.check(settings.pool.min_size <= settings.pool.max_size, "min_pool_size",
             "no more than max_pool_size");
  }
  in.section("retry", "What is tried again, and when",
             [&](ConfigReader& retry) { read_retry(retry, settings.retry); });
  in.check(settings.statement_cache <= 10'000, "statement_cache", "between 0 and 10000");
  check_address(in, settings);
}

}  // namespace millrace::sdk
