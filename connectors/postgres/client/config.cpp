#include "connectors/postgres/client/config.hpp"

#include "connectors/postgres/client/config_node.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/database.hpp"

#include <algorithm>
#include <array>

namespace millrace::postgres {

extern const sdk::Connector connector;

namespace {

using sdk::ConfigNode;
using sdk::Value;

// Options of the pool that libraries of other languages take beside the url.
constexpr std::array pool_names{"pool_size",     "max_overflow",  "pool_timeout",  "pool_recycle",
                                "pool_pre_ping", "pool_use_lifo", "min_size",      "max_size",
                                "timeout",       "max_waiting",   "max_lifetime",  "max_idle",
                                "pre_ping",      "lifo",          "leak_threshold"};

void move_pool_options(ConfigNode& node) {
  ConfigNode moved;
  moved.kind = ConfigNode::Kind::mapping;
  std::erase_if(node.entries, [&](ConfigNode::Entry& entry) {
    if (std::ranges::find(pool_names, entry.key) == pool_names.end())
      return false;
    moved.entries.push_back(std::move(entry));
    return true;
  });
  if (moved.entries.empty())
    return;
  const auto pool = std::ranges::find(node.entries, "pool", &ConfigNode::Entry::key);
  if (pool == node.entries.end()) {
    moved.place = moved.entries.front().key_place;
    node.entries.push_back({"pool", moved.place, std::move(moved)});
    return;
  }
  // What stands in the mapping of its own is nearer.
  for (auto& entry : moved.entries) {
    if (pool->value.find(entry.key) == nullptr)
      pool->value.entries.push_back(std::move(entry));
  }
}

sdk::Error mistakes(std::string_view name, const sdk::Diagnostics& diagnostics) {
  std::string message = "the settings of '" + std::string{name} + "' cannot be used: ";
  std::string_view separator;
  for (const auto& diagnostic : diagnostics.all()) {
    if (diagnostic.severity != sdk::Severity::error)
      continue;
    const auto place = diagnostic.place.file ? diagnostic.place.to_string() : std::string{};
    message.append(separator).append(place).append(place.empty() ? "" : ": ");
    message.append(diagnostic.message);
    if (!diagnostic.hint.empty())
      message.append(" (").append(diagnostic.hint).append(")");
    separator = "; ";
  }
  return {sdk::ErrorKind::config, std::move(message), {.hint = "see docs/library.md"}};
}

std::string text_of(std::chrono::milliseconds duration) {
  return std::to_string(duration.count()) + "ms";
}

Value to_value(const PoolConfig& pool) {
  auto options = Value::object({{"min_size", pool.min_size},
                                {"max_size", pool.max_size},
                                {"max_overflow", pool.max_overflow},
                                {"timeout", text_of(pool.timeout)},
                                {"max_waiting", pool.max_waiting},
                                {"max_lifetime", text_of(pool.max_lifetime)},
                                {"max_idle", text_of(pool.max_idle)},
                                {"lifo", pool.lifo},
                                {"pre_ping", pool.pre_ping},
                                {"leak_threshold", text_of(pool.leak_threshold)}});
  options.set("shared_lane",
              Value::object({{"connections", pool.lane_connections}, {"depth", pool.lane_depth}}));
  return options;
}

Value to_value(const RetryConfig& retry) {
  auto options = Value::object({{"base", text_of(retry.conflict_base)},
                                {"connection_base", text_of(retry.connection_base)},
                                {"cap", text_of(retry.cap)}});
  if (retry.attempts)
    options.set("attempts", *retry.attempts);
  return options;
}

Value to_value(const ConnectionConfig& config) {
  auto options = Value::object();
  const auto text = [&options](std::string_view name, const std::string& value) {
    if (!value.empty())
      options.set(name, value);
  };
  text("url", config.url);
  text("user", config.user);
  text("password", config.password);
  text("dbname", config.dbname);
  text("target_session_attrs", config.target_session_attrs);
  text("application_name", config.application_name);
  if (!config.host.empty()) {
    auto hosts = Value::array();
    for (const auto& host : config.host)
      hosts.push_back(host);
    options.set("host", std::move(hosts));
  }
  if (config.port)
    options.set("port", *config.port);
  options.set("connect_timeout", text_of(config.connect_timeout));
  options.set("statement_timeout", text_of(config.statement_timeout));
  options.set("idle_in_transaction", text_of(config.idle_in_transaction));
  options.set("statement_cache", config.statement_cache);
  options.set("pool_mode", config.pool_mode == PoolMode::session ? "session" : "transaction");
  options.set("echo", config.echo);
  options.set("pool", to_value(config.pool));
  options.set("retry", to_value(config.retry));
  return options;
}

}  // namespace

sdk::Result<Settings> read_node(std::string_view name, ConfigNode node,
                                std::vector<std::pair<std::string, std::string>> parameters) {
  sdk::DatabaseSettings settings;
  settings.name = name;
  settings.driver = "postgres";
  settings.application_name = "millrace/" + settings.name;
  sdk::Diagnostics diagnostics;
  if (!node.is_mapping()) {
    diagnostics.error(node.place, "they must be a mapping of options");
    return mistakes(name, diagnostics);
  }
  move_pool_options(node);
  sdk::ConfigReader in{node, "server '" + settings.name + "'", diagnostics};
  sdk::read_database_settings(in, settings);
  in.ignore({"protocol", "description", "init"});
  bool good = in.finish();
  if (settings.driver != "postgres") {
    diagnostics.error(in.place_of("url"), "'url' is no address of a PostgreSQL server");
    good = false;
  }
  for (auto& parameter : parameters)
    settings.parameters.push_back(std::move(parameter));
  if (good) {
    if (const auto checked = connector.database()->check(settings); !checked) {
      diagnostics.error({}, checked.error().message(), checked.error().hint());
      good = false;
    }
  }
  if (!good || diagnostics.has_errors())
    return mistakes(name, diagnostics);
  return std::make_shared<const sdk::DatabaseSettings>(std::move(settings));
}

sdk::Result<Settings> resolve(const ConnectionConfig& config) {
  return read_node(config.name, node_of(to_value(config), {}, false), config.parameters);
}

sdk::Result<Settings> read_config(std::string_view name, const Value& options) {
  return read_node(name, node_of(options, {}, false), {});
}

}  // namespace millrace::postgres
