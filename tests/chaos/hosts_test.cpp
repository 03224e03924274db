// Several hosts and their roles, and what happens when the roles change: two real servers, one of
// which follows the other.
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"

#include <atomic>
#include <map>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;
using Clock = std::chrono::steady_clock;

class PostgresHostsTest : public testing::Test {
protected:
  void SetUp() override {
    if (test::PostgresServer::shared() == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    const auto folder = "/tmp/millrace-pg-hosts-" + std::to_string(getpid());
    first_ = std::make_unique<test::PostgresServer>(folder + "-1");
    second_ = test::PostgresServer::standby_of(*first_, folder + "-2");
    ASSERT_TRUE(second_);
    case_ = postgres_case(*first_);
    case_.settings.hosts = {{first_->host(), first_->port()}, {second_->host(), second_->port()}};
    case_.settings.connect_timeout = 2s;
    case_.settings.parameters.clear();
  }

  sdk::DatabaseSettings with_role(const std::string& role) const {
    auto settings = case_.settings;
    settings.target_session_attrs = role;
    return settings;
  }

  // Where the pool's statements run: "first", "second", or the error.
  std::string where(PoolFixture& pool) {
    const auto found = pool.run("SELECT current_setting('port')::int AS port");
    if (!found)
      return found.error().to_string();
    const auto port = found->rows.items()[0].find("port")->as_integer();
    return port == first_->port() ? "first" : "second";
  }

  // Over several pools, because the order of the hosts is chosen each time.
  std::string where(const std::string& role) {
    std::map<std::string, int> seen;
    for (int i = 0; i < 6; ++i) {
      PoolFixture pool{with_role(role), *case_.driver};
      ++seen[where(pool)];
    }
    std::string all;
    for (const auto& [place, times] : seen)
      all.append(all.empty() ? "" : " and ").append(place);
    return all;
  }

  std::unique_ptr<test::PostgresServer> first_;
  std::unique_ptr<test::PostgresServer> second_;
  DriverCase case_;
};

TEST_F(PostgresHostsTest, AreTakenByTheirRole) {
  EXPECT_EQ(where("read-write"), "first");
  EXPECT_EQ(where("primary"), "first");
  EXPECT_EQ(where("read-only"), "second");
  EXPECT_EQ(where("standby"), "second");
  EXPECT_EQ(where("prefer-standby"), "second");
  std::map<std::string, int> any;
  for (int i = 0; i < 40 && any.size() < 2; ++i) {
    PoolFixture pool{with_role("any"), *case_.driver};
    ++any[where(pool)];
  }
  EXPECT_EQ(any.size(), 2U) << "never shuffled";

  ASSERT_TRUE(second_->stop());
  EXPECT_EQ(where("prefer-standby"), "first") << "better than none";
  PoolFixture none{with_role("standby"), *case_.driver};
  const auto failed = none.run("SELECT 1");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::connection);
  EXPECT_TRUE(failed.error().retryable()) << "a fail-over may be under way";
  EXPECT_NE(failed.error().message().find("no host can be used"), std::string::npos)
    << failed.error().message();
}

TEST_F(PostgresHostsTest, AreFollowedWhenTheStandbyIsPromoted) {
  auto settings = with_role("read-write");
  constexpr std::int64_t limit = 4;
  settings.pool.max_size = limit;
  settings.pool.pre_ping = false;
  settings.application_name = "followed " + std::to_string(getpid());
  PoolFixture pool{settings, *case_.driver};
  ASSERT_TRUE(pool.run("CREATE TABLE f (id INTEGER PRIMARY KEY)"));
  ASSERT_TRUE(pool.run("INSERT INTO f VALUES (1)"));
  EXPECT_EQ(where(pool), "first");

  while (
    pool.rows("SELECT 1 AS up FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()")
      .size()
    == 0)
    std::this_thread::yield();
  auto watching = case_.settings;
  watching.hosts = {{second_->host(), second_->port()}};
  watching.pool.max_size = 1;
  PoolFixture watcher{watching, *case_.driver};
  std::atomic<bool> stop = false;
  std::int64_t most = 0;
  std::thread sampler{[&] {
    while (!stop) {
      const auto seen = watcher.run(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1",
        {Value{settings.application_name}});
      if (seen)
        most = std::max(most, seen->rows.items()[0].find("n")->as_integer());
    }
  }};

  ASSERT_TRUE(first_->stop());
  // Many callers all the time, so that the pool wants all the connections that it may have.
  std::vector<Awaited<ExecuteReply>> callers(300);
  for (std::size_t i = 0; i < callers.size() / 2; ++i)
    pool.handle().execute({.sql = "SELECT pg_sleep(0.001)"}, callers[i].callback());
  ASSERT_TRUE(second_->promote());
  const auto promoted = Clock::now();
  sdk::Result<sdk::SqlResult> written = sdk::SqlResult{};
  do
    written = pool.run("INSERT INTO f VALUES (2)");
  while (!written && Clock::now() - promoted < 20s);
  EXPECT_TRUE(written) << written.error().to_string();
  EXPECT_LT(Clock::now() - promoted, 2s);
  EXPECT_EQ(where(pool), "second");
  for (std::size_t i = callers.size() / 2; i < callers.size(); ++i)
    pool.handle().execute({.sql = "SELECT pg_sleep(0.001)"}, callers[i].callback());
  for (auto& caller : callers)
    static_cast<void>(caller.get());
  stop = true;
  sampler.join();
  EXPECT_GE(most, 2);
  EXPECT_LE(most, limit) << "connections to the server that took over";

  // The old primary comes back as a standby would: up, but it takes no writes. The pool keeps off.
  first_->configure("default_transaction_read_only = on\n");
  ASSERT_TRUE(first_->start());
  for (int i = 0; i < 6; ++i) {
    PoolFixture another{with_role("read-write"), *case_.driver};
    EXPECT_EQ(where(another), "second");
  }
}

TEST_F(PostgresHostsTest, AreLeftWhenTheyTakeNoMoreWrites) {
  ASSERT_TRUE(first_->stop());
  ASSERT_TRUE(second_->promote());
  ASSERT_TRUE(first_->start());  // two that write: the pool may take either
  for (auto* server : {first_.get(), second_.get()}) {
    auto direct = case_.settings;
    direct.hosts = {{server->host(), server->port()}};
    PoolFixture pool{direct, *case_.driver};
    ASSERT_TRUE(pool.run("CREATE TABLE d (id INTEGER PRIMARY KEY)"));
  }
  auto settings = with_role("read-write");
  settings.pool.max_size = 4;
  settings.pool.min_size = 4;
  PoolFixture pool{settings, *case_.driver};
  while (pool.info().total < 4)
    std::this_thread::yield();
  ASSERT_TRUE(pool.run("INSERT INTO d VALUES (1)"));
  auto* demoted = where(pool) == "first" ? first_.get() : second_.get();

  // Demoted without a restart: the sessions live on, and answer 25006 to every write.
  demoted->configure("default_transaction_read_only = on\n");
  ASSERT_TRUE(demoted->reload());
  const auto reloaded = [&] {
    auto direct = case_.settings;
    direct.hosts = {{demoted->host(), demoted->port()}};
    PoolFixture look{direct, *case_.driver};
    return look.rows("SELECT current_setting('default_transaction_read_only') AS on")
             .items()[0]
             .find("on")
             ->as_string()
           == "on";
  };
  while (!reloaded())
    std::this_thread::yield();
  for (int i = 2; i < 20; ++i) {
    const auto written = pool.run("INSERT INTO d VALUES ($1)", {Value{i}});
    EXPECT_TRUE(written) << written.error().to_string();
  }
  EXPECT_EQ(where(pool), demoted == first_.get() ? "second" : "first");
  // What was meant to read alone stays an error of its own.
  sdk::Statement reading{.sql = "INSERT INTO d VALUES (100)"};
  reading.options.read_only = true;
  const auto refused = std::move(pool.run(std::move(reading)).results.front());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "25006");
  EXPECT_EQ(refused.error().kind(), ErrorKind::execution);
}

}  // namespace
}  // namespace millrace::actors
