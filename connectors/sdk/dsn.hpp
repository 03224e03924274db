// Dsn: the address of a database, in every form that people write it; no client library needed.
//
//   parse_dsn("postgresql+asyncpg://ada:pw@a:5432,b/shop?target_session_attrs=read-write")
//   parse_dsn("host=a port=5432 dbname=shop")
//   parse_dsn("postgres:///shop?host=a:5432&host=b")    // libpq alone would use b only
//   parse_dsn("sqlite:///orders.db"), parse_dsn("sqlite::memory:")
#pragma once

#include "connectors/sdk/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {

struct DsnHost {
  std::string host;
  std::string port;  // 1 to 65535; empty: not said
};

struct Dsn {
  std::string
    scheme;  // as written, with its driver: "postgresql+asyncpg"; empty for a keyword string
  std::string driver;  // "postgres", "sqlite"
  std::vector<DsnHost> hosts;
  std::string user;
  std::optional<std::string> password;
  std::string dbname;                                           // sqlite: the path, or ":memory:"
  std::vector<std::pair<std::string, std::string>> parameters;  // the others, decoded, in order

  const std::string* find(std::string_view parameter) const noexcept;
  void set(std::string_view parameter, std::string value);
  void erase(std::string_view parameter);
};

/// Reads a URI or libpq's keyword string. Takes what libpq 15 takes, and besides: a driver in the
/// scheme, any case of the scheme, several `host` settings, `host:port` in a setting, a raw `@` in
/// a password, and with a driver in the scheme its `ssl=MODE`. Refuses what libpq would only find
/// when it connects: ports, `sslmode` and `target_session_attrs` out of range, unequal counts of
/// hosts and ports.
/// @returns kind `config` with column and reason; it never shows a password, nor text that may be
/// part of one.
Result<Dsn> parse_dsn(std::string_view text);

/// Its settings by libpq's keywords, several hosts and ports comma-joined as libpq has them; of
/// sqlite `dbname` and the settings of its URI.
std::vector<std::pair<std::string, std::string>> dsn_parameters(const Dsn& dsn);

/// Whether the value of this setting must not be shown.
bool is_secret_dsn_keyword(std::string_view keyword);

/// As a URI, credentials and parameters percent-encoded. Several hosts of a scheme with a driver
/// stand in
/// `?host=a:5432&host=b`, the only form which those drivers read.
std::string to_uri(const Dsn& dsn);

/// Whether several hosts are named, in whichever form.
Result<bool> is_dsn_multihost(std::string_view dsn);

/// The same servers, another database and role: replaces the database's name and
/// `target_session_attrs` (neither where empty), keeps the driver and everything else.
Result<std::string> build_db_dsn(std::string_view dsn, std::string_view dbname,
                                 std::string_view target_session_attrs);

/// The text with its passwords replaced by `***`, for people to see. What cannot be read is cut at
/// the first place that might belong to a password.
std::string mask_dsn(std::string_view dsn);

}  // namespace millrace::sdk
