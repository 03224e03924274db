// ConformanceTest: a pool on each driver in turn, with an empty database. What is asserted here
// holds for all.
#pragma once

#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"

#include <initializer_list>
#include <memory>
#include <string>

namespace millrace::actors {

class ConformanceTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (GetParam() == "sqlite") {
      file_.emplace();
      case_ = sqlite_case(file_->path());
    } else {
      auto* server = test::PostgresServer::shared();
      if (server == nullptr)
        GTEST_SKIP() << test::PostgresServer::why_not();
      case_ = postgres_case(*server);
      if (GetParam() == "pgbouncer") {
        bouncer_ = std::make_unique<test::PgBouncer>(
          *server, test_schema(), "/tmp/millrace-bouncer-" + std::to_string(getpid()));
        if (!bouncer_->running())
          GTEST_SKIP() << bouncer_->why_not();
        case_ = bouncer_case(*server, *bouncer_);
      }
    }
    case_.settings.pool.max_size = 4;
    open();
    if (is_postgres())
      make("CREATE SCHEMA IF NOT EXISTS " + test_schema());
    for (const std::string table : {"child", "parent", "t"})
      make("DROP TABLE IF EXISTS " + table);
  }

  /// Opens the pool again, by changed settings.
  void open() {
    pool_.reset();
    pool_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
  }

  bool is_postgres() const { return case_.name == "postgres"; }

  /// Sessions have nothing of their own between transactions.
  bool is_bounced() const { return bouncer_ != nullptr; }

  PoolFixture& pool() { return *pool_; }

  /// Works, or the test has failed.
  void make(const std::string& sql, sdk::Parameters parameters = {}) {
    const auto done = pool_->run(sql, std::move(parameters));
    EXPECT_TRUE(done) << sql << ": " << done.error().to_string();
  }

  sdk::Error error_of(const std::string& sql, sdk::Parameters parameters = {}) {
    auto done = pool_->run(sql, std::move(parameters));
    EXPECT_FALSE(done) << sql;
    return done ? sdk::Error{sdk::ErrorKind::internal, "it worked"} : done.error();
  }

  std::int64_t count(const std::string& table) {
    return pool_->rows("SELECT count(*) AS n FROM " + table).items()[0].find("n")->as_integer();
  }

  DriverCase case_;

private:
  std::optional<TemporaryFile> file_;
  std::unique_ptr<test::PgBouncer> bouncer_;
  std::unique_ptr<PoolFixture> pool_;
};

}  // namespace millrace::actors
