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
  std::string port;  // as written; empty: not said
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

/// Reads a URI or a keyword string. Messages never show the password.
Result<Dsn> parse_dsn(std::string_view text);

/// As a URI, credentials and parameters percent-encoded.
std::string to_uri(const Dsn& dsn);

/// Whether several hosts are named, in whichever form.
Result<bool> is_dsn_multihost(std::string_view dsn);

/// The same servers, another database and role: replaces the database's name and
/// `target_session_attrs` (neither where empty), keeps the driver and everything else.
Result<std::string> build_db_dsn(std::string_view dsn, std::string_view dbname,
                                 std::string_view target_session_attrs);

/// The text with its passwords replaced by `***`, for people to see; of text that is no DSN nothing
/// is shown.
std::string mask_dsn(std::string_view dsn);

}  // namespace millrace::sdk
