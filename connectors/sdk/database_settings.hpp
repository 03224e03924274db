// DatabaseSettings: everything that is said about one database server, resolved and validated
// before anything connects.
//
//   DatabaseSettings settings;
//   read_database_settings(in, settings);   // all mistakes at once, or the option list in
//   describing mode
#pragma once

#include "connectors/sdk/secret.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::sdk {

class ConfigReader;

struct DatabaseHost {
  std::string host;        // a name, an address, or the directory of a Unix socket
  std::uint16_t port = 0;  // 0: the driver's own
};

enum class PoolMode : std::uint8_t {
  session,
  transaction,  // a bouncer hands each transaction to another server connection
};

struct PoolSettings {
  std::uint32_t min_size = 1;
  std::uint32_t max_size = 10;  // connections that stay
  std::uint32_t max_overflow =
    0;  // and so many more under load; the sum is the hard limit, all lanes together
  std::chrono::milliseconds timeout{30'000};  // how long a request waits for a connection
  std::uint32_t max_waiting = 10'000;         // requests
  std::chrono::milliseconds max_lifetime{
    1'800'000};  // less up to 10 %, so that they do not end together; 0: for ever
  std::chrono::milliseconds max_idle{600'000};  // 0: for ever
  bool lifo = true;                             // the connection used last is used next
  bool pre_ping = true;  // asks a connection idle for over 1 s before it is lent
  std::chrono::milliseconds leak_threshold{0};  // a session held for longer is logged; 0: off
  std::uint32_t lane_connections =
    0;                            // of the shared lane; 0: a quarter of the limit, at least one
  std::uint32_t lane_depth = 64;  // statements in flight on one of them

  std::uint32_t limit() const noexcept { return max_size + max_overflow; }

  std::uint32_t lane_limit() const noexcept;
};

struct DatabaseRetry {
  std::optional<std::uint32_t> attempts;  // in total; none: `default_attempts`, asked at each use
  std::chrono::milliseconds conflict_base{20};
  std::chrono::milliseconds connection_base{100};
  std::chrono::milliseconds cap{2'000};

  std::uint32_t total_attempts() const { return attempts.value_or(default_attempts()); }

  /// DB_RETRY_RETRIES_NUMBER, else DB_UTILS_RETRIES_NUMBER, else 3; what is no number from 1 to 100
  /// counts as not given. A deployment may change them while we run.
  static std::uint32_t default_attempts();
};

struct DatabaseSettings {
  std::string name;    // of the server in the file
  std::string driver;  // "postgres", "sqlite"
  std::vector<DatabaseHost> hosts;
  std::string user;
  Secret password;
  std::string dbname;           // sqlite: the file, or ":memory:"
  bool secret_address = false;  // hosts, user or dbname came from outside: no message names them
  std::string target_session_attrs;
  std::vector<std::pair<std::string, std::string>>
    parameters;  // the url's other settings: sslmode, …
  std::string application_name;
  std::chrono::milliseconds connect_timeout{5'000};  // per host
  std::chrono::milliseconds statement_timeout{0};    // 0: none
  std::chrono::milliseconds idle_in_transaction{0};  // 0: a transaction may sit idle for ever
  std::uint32_t statement_cache = 256;               // prepared statements per connection
  PoolMode pool_mode = PoolMode::session;
  bool batching =
    true;             // statements that wait together run together, where the answers are the same
  bool echo = false;  // logs statements, never their values
  PoolSettings pool;
  DatabaseRetry retry;
};

/// Reads the option `batching: auto|off`.
void read_batching(ConfigReader& in, bool& batching);

/// Reads a server's own options (`url` or `host port user password dbname`, `pool`, `retry`, …);
/// does not call `finish`, which tells whether there was a mistake. What `settings` holds before is
/// the default. Called again over another mapping, later wins.
void read_database_settings(ConfigReader& in, DatabaseSettings& settings);

}  // namespace millrace::sdk
