// PostgresTest: a test with a pool on the PostgreSQL that the tests share, in this process' schema;
// skipped, loudly, where there is no server.
//
//   class WireTest : public PostgresTest {
//     void prepare() override {
//       case_.settings.pool.max_size = 1;
//       open();
//       make_table(*pool_, "w", "id INTEGER, name TEXT");
//     }
//   };
#pragma once

#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace millrace::actors {

class PostgresTest : public testing::Test {
protected:
  /// What a test needs before it begins: `case_` leads to the server, and no pool is open yet.
  virtual void prepare() = 0;

  void SetUp() override {
    server_ = test::PostgresServer::shared();
    if (server_ == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    case_ = postgres_case(*server_);
    prepare();
  }

  /// Before what a test put between the pool and the server.
  void TearDown() override { pool_.reset(); }

  /// Opens the pool that `case_` describes, anew where one is open.
  void open() {
    pool_.reset();
    pool_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
  }

  static void make_schema(PoolFixture& pool) {
    EXPECT_TRUE(pool.run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
  }

  /// Makes an empty table, in place of the one of that name.
  static void make_table(PoolFixture& pool, const std::string& name, const std::string& columns) {
    make_schema(pool);
    EXPECT_TRUE(pool.run("DROP TABLE IF EXISTS " + name));
    EXPECT_TRUE(pool.run("CREATE TABLE " + name + " (" + columns + ")"));
  }

  /// The integer that a query gives under the name `n`.
  static std::int64_t integer(PoolFixture& pool, std::string sql, sdk::Parameters parameters = {}) {
    return pool.rows(std::move(sql), std::move(parameters)).items()[0].find("n")->as_integer();
  }

  test::PostgresServer* server_ = nullptr;
  DriverCase case_;
  std::unique_ptr<PoolFixture> pool_;
};

}  // namespace millrace::actors
