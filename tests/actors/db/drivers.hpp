// The drivers that the conformance suite runs over, each with a fresh, empty database per test.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/database.hpp"
#include "tests/support/pgbouncer.hpp"
#include "tests/support/postgres.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <unistd.h>

namespace millrace::sqlite {
extern const sdk::Connector connector;
}

namespace millrace::postgres {
extern const sdk::Connector connector;
}

namespace millrace::actors {

/// A driver under test.
struct DriverCase {
  std::string name;
  const sdk::DatabaseDriver* driver = nullptr;
  sdk::DatabaseSettings settings;
};

/// A database file that goes with its owner.
class TemporaryFile {
public:
  TemporaryFile()
    : folder_{std::filesystem::temp_directory_path()
              / ("millrace-db-" + std::to_string(getpid()) + "-" + std::to_string(++count()))} {
    std::filesystem::create_directory(folder_);
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  ~TemporaryFile() { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "test.db"; }

private:
  static std::atomic<int>& count() {
    static std::atomic<int> value{0};
    return value;
  }

  std::filesystem::path folder_;
};

inline DriverCase sqlite_case(const std::string& path) {
  DriverCase found{.name = "sqlite", .driver = sqlite::connector.database()};
  found.settings.name = "test";
  found.settings.driver = "sqlite";
  found.settings.dbname = path;
  return found;
}

/// A schema for this process: tests may share a server, and run beside each other.
inline std::string test_schema() {
  return "millrace_test_" + std::to_string(getpid());
}

inline DriverCase postgres_case(const test::PostgresServer& server) {
  DriverCase found{.name = "postgres", .driver = postgres::connector.database()};
  found.settings.name = "test";
  found.settings.driver = "postgres";
  found.settings.hosts = {{server.host(), server.port()}};
  found.settings.user = server.user();
  found.settings.dbname = server.dbname();
  found.settings.parameters = {{"options", "-c search_path=" + test_schema()}};
  return found;
}

/// The same through a PgBouncer in transaction mode.
inline DriverCase bouncer_case(const test::PostgresServer& server, const test::PgBouncer& bouncer) {
  auto found = postgres_case(server);
  found.settings.hosts = {{"127.0.0.1", bouncer.port()}};
  found.settings.parameters.clear();
  found.settings.pool_mode = sdk::PoolMode::transaction;
  return found;
}

}  // namespace millrace::actors
