// What a pool tells those who run it: its log, and its figures. Values and passwords are in
// neither.
#include "tests/actors/db/conformance.hpp"
#include "tests/support/recording_log.hpp"

#include <map>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::Value;

/// Keeps what it is shown, by name.
class Figures : public sdk::MetricVisitor {
public:
  void counter(std::string_view name, std::string_view help, Labels labels,
               std::uint64_t value) override {
    note(name, help, labels);
    counters[std::string{name}] += value;
  }

  void gauge(std::string_view name, std::string_view help, Labels labels, double value) override {
    note(name, help, labels);
    gauges[std::string{name}] = value;
  }

  void histogram(std::string_view name, std::string_view help, Labels labels,
                 const sdk::HistogramSnapshot& value) override {
    note(name, help, labels);
    counts[std::string{name}] = value.count;
  }

  std::map<std::string, std::uint64_t> counters;
  std::map<std::string, double> gauges;
  std::map<std::string, std::uint64_t> counts;

private:
  static void note(std::string_view name, std::string_view help, Labels labels) {
    EXPECT_FALSE(help.empty()) << name;
    ASSERT_FALSE(labels.empty()) << name;
    EXPECT_EQ(labels[0].value, "test");
  }
};

class PoolLogTest : public ConformanceTest {
protected:
  void start() {
    case_.settings.password = sdk::Secret{"hunter2"};
    logged_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver, 1, &log_);
  }

  void TearDown() override {
    logged_.reset();
    for (const auto& line : log_.lines())
      EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
  }

  /// Waits until the log has it.
  std::string line_with(std::string_view part) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (log_.find(part).empty() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    return log_.find(part);
  }

  Figures figures() {
    Figures shown;
    logged_->handle().metrics()->visit(shown);
    return shown;
  }

  test::RecordingLog log_;
  std::unique_ptr<PoolFixture> logged_;
};

TEST_P(PoolLogTest, EchoesStatementsWithoutTheirValues) {
  make("CREATE TABLE t (id INTEGER, name TEXT)");
  case_.settings.echo = true;
  start();
  EXPECT_TRUE(logged_->run("INSERT INTO t VALUES ($1, 'hunter2 here')", {Value{1}}));
  const auto session = logged_->begin();
  EXPECT_TRUE(run(*session, "UPDATE t SET name = $1", {Value{"hunter2"}}));
  EXPECT_TRUE(commit(*session));

  EXPECT_NE(log_.find("INSERT INTO t VALUES ($1, ?)").find("shared lane"), std::string::npos);
  EXPECT_NE(log_.find("UPDATE t SET name = $1").find("transaction"), std::string::npos);
}

TEST_P(PoolLogTest, SaysNothingOfStatementsWhereItIsNotAskedTo) {
  start();
  EXPECT_TRUE(logged_->run("SELECT 1"));
  EXPECT_EQ(log_.find("SELECT"), "");
}

TEST_P(PoolLogTest, NamesWhoHoldsASessionForTooLong) {
  case_.settings.pool.leak_threshold = 30ms;
  start();
  const auto session = logged_->begin({.holder = "the nightly job"});
  ASSERT_TRUE(session);
  const auto held = line_with("session held for too long");
  EXPECT_TRUE(held.starts_with("warn")) << held;
  EXPECT_NE(held.find("the nightly job"), std::string::npos) << held;
  EXPECT_TRUE(rollback(*session));
  EXPECT_NE(line_with("session returned that had been held"), "");
  EXPECT_EQ(figures().counters["millrace_pool_leaks_total"], 1U);
}

TEST_P(PoolLogTest, WarnsAtItsEndOfTransactionsThatAreStillOpen) {
  start();
  const auto session = logged_->begin();
  ASSERT_TRUE(session);
  logged_->handle().close();
  const auto line = line_with("pool closed with transactions open");
  EXPECT_NE(line.find("checked_out=1"), std::string::npos) << line;
}

TEST_P(PoolLogTest, CountsWhatItDoes) {
  case_.settings.pool.max_size = 1;
  case_.settings.pool.timeout = 20ms;
  start();
  while (!logged_->run("SELECT 1"))
    std::this_thread::yield();
  EXPECT_FALSE(logged_->run("SELECT nonsense FROM nowhere"));
  {
    const auto session = logged_->begin();
    ASSERT_TRUE(session);
    EXPECT_FALSE(logged_->begin()) << "there is one connection";
    EXPECT_EQ(figures().gauges["millrace_pool_checked_out"], 1);
    EXPECT_TRUE(rollback(*session));
  }
  EXPECT_EQ(logged_->health().status, HealthStatus::healthy);
  const auto shown = figures();
  EXPECT_GE(shown.counters.at("millrace_pool_statements_total"), 2U);
  EXPECT_EQ(shown.counters.at("millrace_pool_statement_errors_total"), 1U);
  EXPECT_EQ(shown.counters.at("millrace_pool_connects_total"), 1U);
  EXPECT_GE(shown.counters.at("millrace_pool_exhausted_total"), 1U);
  EXPECT_GE(shown.counts.at("millrace_pool_wait_seconds"), 2U);
  EXPECT_EQ(shown.counts.at("millrace_pool_use_seconds"), 1U);
  EXPECT_EQ(shown.counts.at("millrace_pool_connect_seconds"), 1U);
  EXPECT_GE(shown.counts.at("millrace_pool_health_seconds"), 1U);
  EXPECT_GE(shown.counts.at("millrace_pool_depth"), 1U);
  EXPECT_EQ(shown.gauges.at("millrace_pool_up"), 1);
}

TEST_P(PoolLogTest, LogsAndCountsRetriesWithoutValues) {
  if (!is_postgres())
    GTEST_SKIP() << "needs a function that fails";
  make("CREATE SEQUENCE IF NOT EXISTS log_tries");
  make("ALTER SEQUENCE log_tries RESTART");
  make("CREATE OR REPLACE FUNCTION fail_twice(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
       "IF nextval('log_tries') < 3 THEN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END IF; "
       "RETURN 7; END $$");
  start();
  EXPECT_TRUE(logged_->run("SELECT fail_twice($1)", {Value{"hunter2"}}));
  const auto line = line_with("tried again");
  EXPECT_NE(line.find("40P01"), std::string::npos) << line;
  EXPECT_EQ(figures().counters["millrace_pool_retries_total"], 2U);
}

INSTANTIATE_TEST_SUITE_P(Drivers, PoolLogTest, testing::Values("sqlite", "postgres"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace millrace::actors
