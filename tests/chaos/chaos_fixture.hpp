// ChaosFixture: a server of its own with a fault proxy before it, a helper that goes past the
// proxy, and what is promised whatever breaks.
#pragma once

#include "tests/actors/db/drivers.hpp"
#include "tests/chaos/callers.hpp"
#include "tests/support/fault_proxy.hpp"

#include <filesystem>
#include <iostream>
#include <thread>

namespace millrace::actors {

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? otherwise : std::stoull(text);
}

inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(
    std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {}));
}

class ChaosFixture : public testing::Test {
protected:
  static constexpr int callers = 12;
  static constexpr std::uint32_t limit = 8;
  static constexpr std::chrono::milliseconds in_time{15'000};  // for the slowest answer of all
  static constexpr std::chrono::milliseconds recovery{2'000};  // after the end of a fault

  void SetUp() override {
    if (test::PostgresServer::shared() == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    server_ = std::make_unique<test::PostgresServer>("/tmp/millrace-pg-chaos-"
                                                     + std::to_string(getpid()));
    // A crash of the processes, not of the machine: what was confirmed must outlive it.
    server_->configure("deadlock_timeout = 20ms\nsynchronous_commit = on\n");
    ASSERT_TRUE(server_->reload());
    proxy_ = std::make_unique<test::FaultProxy>(test::Endpoint{server_->host(), server_->port()});
    auto direct = postgres_case(*server_);
    direct.settings.pool.max_size = 3;
    direct.settings.application_name = "helper";
    helper_ = std::make_unique<PoolFixture>(direct.settings, *direct.driver);
    ASSERT_TRUE(helper_->run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
    for (const auto& sql : Callers::schema(callers))
      ASSERT_TRUE(helper_->run(sql)) << sql;
  }

  DriverCase victim_case() const {
    auto found = postgres_case(*server_);
    auto& settings = found.settings;
    settings.hosts = {{"127.0.0.1", proxy_->port()}};
    settings.application_name = victim_;
    settings.password = sdk::Secret{planted};
    settings.connect_timeout = std::chrono::milliseconds{500};
    settings.statement_timeout = std::chrono::milliseconds{500};
    settings.pool.max_size = limit;
    settings.pool.min_size = 2;
    settings.pool.timeout = std::chrono::seconds{2};
    settings.pool.leak_threshold = std::chrono::seconds{1};
    settings.pool.max_lifetime = std::chrono::seconds{3};
    settings.echo = true;
    return found;
  }

  // Until the pool answers again.
  std::chrono::milliseconds recover(PoolFixture& pool) {
    const auto began = std::chrono::steady_clock::now();
    while (!pool.run("SELECT 1")
           && std::chrono::steady_clock::now() - began < std::chrono::seconds{20})
      std::this_thread::sleep_for(
        std::chrono::milliseconds{5});  // the pace of one more caller, who is no load himself
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                                 - began);
  }

  std::int64_t number(const std::string& sql, sdk::Parameters parameters = {}) {
    return helper_->rows(sql, std::move(parameters)).items()[0].members()[0].value.as_integer();
  }

  void check_rows(int caller, const CallerLedger& ledger) {
    SCOPED_TRACE("caller " + std::to_string(caller));
    const auto between = [&](const char* column, const Tally& tally) {
      const auto found = number(
        std::string{"SELECT "} + column + " FROM counters WHERE caller = $1", {sdk::Value{caller}});
      EXPECT_GE(found, static_cast<std::int64_t>(tally.confirmed)) << column;
      EXPECT_LE(found, static_cast<std::int64_t>(tally.confirmed + tally.unknown)) << column;
    };
    between("writes", ledger.writes);
    between("transactions", ledger.transactions);
    between("batches", ledger.batches);
    EXPECT_EQ(number("SELECT batches - (SELECT count(*) FROM pairs WHERE pairs.caller = $1) FROM "
                     "counters WHERE caller = $1",
                     {sdk::Value{caller}}),
              0)
      << "half of a batch happened";
    EXPECT_EQ(number("SELECT ghosts FROM counters WHERE caller = $1", {sdk::Value{caller}}), 0);
    std::size_t there = 0;
    const auto rows = helper_->rows("SELECT number FROM entries WHERE caller = $1",
                                    {sdk::Value{caller}});
    for (const auto& row : rows.items()) {
      const auto entry = row.find("number")->as_integer();
      there += ledger.inserted.contains(entry) ? 1 : 0;
      EXPECT_TRUE(ledger.inserted.contains(entry) || ledger.maybe_inserted.contains(entry))
        << "a row that its caller was told is not there";
    }
    EXPECT_EQ(there, ledger.inserted.size()) << "a row that was confirmed is not there";
    check_copies(caller, ledger);
  }

  void check_copies(int caller, const CallerLedger& ledger) {
    std::size_t there = 0;
    const auto found = helper_->rows(
      "SELECT number, count(*) AS n FROM copied WHERE caller = $1 GROUP BY number",
      {sdk::Value{caller}});
    for (const auto& row : found.items()) {
      const auto number = row.find("number")->as_integer();
      EXPECT_EQ(row.find("n")->as_integer(), 40) << "a part of the rows in bulk";
      there += ledger.copied.contains(number) ? 1 : 0;
      EXPECT_TRUE(ledger.copied.contains(number) || ledger.maybe_copied.contains(number))
        << "rows in bulk that their caller was told are not there";
    }
    EXPECT_EQ(there, ledger.copied.size()) << "rows in bulk that were confirmed are not there";
  }

  const std::string victim_ = "chaos " + std::to_string(getpid());
  std::unique_ptr<test::PostgresServer> server_;
  std::unique_ptr<test::FaultProxy> proxy_;
  std::unique_ptr<PoolFixture> helper_;
};

}  // namespace millrace::actors
