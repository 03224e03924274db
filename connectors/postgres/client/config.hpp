// ConnectionConfig, PoolConfig and RetryConfig: what is said about a database, from code, from data
// and from the environment. One table of options with those of the engine's files, so that names,
// aliases, rules and messages are the same.
//
//   ConnectionConfig config{.host = {"db1", "db2"}, .user = "ada", .dbname = "shop"};
//   config.pool.max_size = 20;
//   auto settings = resolve(config);          // all mistakes at once; never a secret in them
//
//   auto primary = read_config("primary", Value::object({{"url", "${…}"}, {"pool_size", 5}}));
//   auto replica = load_config("replica", {.file = "servers.json", .profile = "production"});
#pragma once

#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::postgres {

/// Validated; what every connector is made of.
using Settings = std::shared_ptr<const sdk::DatabaseSettings>;

using PoolConfig = sdk::PoolSettings;
using PoolMode = sdk::PoolMode;
using RetryConfig = sdk::DatabaseRetry;

/// `url`, or field by field; the fields win.
struct ConnectionConfig {
  std::string name = "database";       // in messages and logs
  std::string url{};                   // postgresql://…, or libpq's name=value …
  std::vector<std::string> host{};     // several: tried in random order
  std::optional<std::int64_t> port{};  // 1 to 65535
  std::string user{};
  std::string password{};
  std::string dbname{};
  std::string target_session_attrs{};  // any, read-write, read-only, primary, standby,
                                       // prefer-standby
  std::string application_name{};      // default: millrace/<name>
  std::chrono::milliseconds connect_timeout{5'000};  // per host
  std::chrono::milliseconds statement_timeout{0};    // 0: none
  std::chrono::milliseconds idle_in_transaction{0};  // 0: for ever
  std::int64_t statement_cache = 256;                // prepared statements per connection
  PoolMode pool_mode = PoolMode::session;
  bool echo = false;  // logs statements, never their values
  std::vector<std::pair<std::string, std::string>> parameters{};  // libpq's others: sslmode, …
  PoolConfig pool{};
  RetryConfig retry{};
};

/// Checks everything. @returns kind `config` with all mistakes, each naming its field and its rule.
sdk::Result<Settings> resolve(const ConnectionConfig& config);

/// The same from data, by the names and aliases of docs/options.md: `{url: …, pool: {max_size: 5}}`
/// with the options of the pool also beside the url, as other libraries have them.
sdk::Result<Settings> read_config(std::string_view name, const sdk::Value& options);

struct ConfigSources {
  std::string file{};  // JSON: {"servers": {…}, "profiles": {"production": {"servers": {…}}}}
  std::string profile{};    // on top of the profile `default`
  std::string secrets{};    // JSON like `file`; refused where other users may read it
  bool environment = true;  // MILLRACE_SERVERS__<NAME>__URL, …__POOL__MAX_SIZE
};

/// What is said of the server `name`; later wins: profile `default`, the chosen profile, the file,
/// the file of secrets, the environment. @returns kind `config` with all mistakes, kind `io` where
/// a file cannot be read.
sdk::Result<Settings> load_config(std::string_view name, const ConfigSources& sources = {});

}  // namespace millrace::postgres
