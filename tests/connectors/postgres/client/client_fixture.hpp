// ClientTest: connectors of the library on the test's PostgreSQL, in a schema of this process.
#pragma once

#include "connectors/postgres/client/sync_connector.hpp"
#include "tests/support/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <unistd.h>

namespace millrace::postgres {

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator folder{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

class ClientTest : public testing::Test {
protected:
  void SetUp() override {
    server = test::PostgresServer::shared();
    if (server == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    PostgresSyncConnector db{config()};
    ASSERT_TRUE(db.connect());
    ASSERT_TRUE(db.execute("CREATE SCHEMA IF NOT EXISTS " + schema()));
    ASSERT_TRUE(db.execute("DROP TABLE IF EXISTS items"));
    ASSERT_TRUE(db.execute("CREATE TABLE items (id int PRIMARY KEY, name text, stock int)"));
    ASSERT_TRUE(db.execute("INSERT INTO items VALUES (1, 'nut', 10), (2, 'bolt', 20)"));
  }

  static std::string schema() { return "millrace_client_" + std::to_string(getpid()); }

  /// A name that tells this test's connections from those of others on the server.
  static std::string application() {
    return "client_" + std::to_string(getpid()) + "_"
           + testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  ConnectionConfig config() const {
    ConnectionConfig config{.name = "test", .host = {server->host()}};
    config.port = server->port();
    config.user = server->user();
    config.dbname = server->dbname();
    config.application_name = application().substr(0, 60);
    config.parameters = {{"options", "-c search_path=" + schema()}};
    return config;
  }

  PostgresSyncConnector connected(const ConnectionConfig& config) const {
    PostgresSyncConnector db{config};
    const auto status = db.connect();
    EXPECT_TRUE(status) << status.error().to_string();
    return db;
  }

  PostgresSyncConnector connected() const { return connected(config()); }

  /// Ends the server's side of every connection of this test but the one that asks.
  void kill_connections(PostgresSyncConnector& by) const {
    const auto killed = by.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                   "application_name = ? AND pid <> pg_backend_pid()",
                                   {config().application_name});
    EXPECT_TRUE(killed) << killed.error().to_string();
  }

  /// Asks until it holds, for ten seconds at most.
  static bool eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end)
        return false;
      std::this_thread::yield();
    }
    return true;
  }

  static std::int64_t number(const sdk::Result<sdk::SqlResult>& result, std::string_view column) {
    if (!result || result->rows.size() != 1) {
      ADD_FAILURE() << (result ? "not one row" : result.error().to_string());
      return -1;
    }
    return result->rows.items()[0].find(column)->as_integer();
  }

  test::PostgresServer* server = nullptr;
};

}  // namespace millrace::postgres
