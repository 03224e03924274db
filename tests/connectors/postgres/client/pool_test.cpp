// The library's pool: growing, shrinking, replacing what is old, and what it does when the server
// goes away.
#include "connectors/postgres/client/client_fixture.hpp"

#include <chrono>
#include <functional>
#include <future>
#include <thread>

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

class ClientPoolTest : public ClientTest {
protected:
  /// So many transactions open at once.
  static std::vector<PostgresSyncConnector> hold(PostgresSyncConnector& db, int count) {
    std::vector<PostgresSyncConnector> held;
    for (int i = 0; i < count; ++i) {
      held.push_back(db.session());
      EXPECT_TRUE(held.back().begin());
      EXPECT_TRUE(held.back().execute("SELECT 1"));
    }
    return held;
  }
};

TEST_F(ClientPoolTest, KeepsItsLeastSizeAndGrowsUnderLoad) {
  auto wide = config();
  wide.pool.min_size = 2;
  wide.pool.max_size = 4;
  auto db = connected(wide);
  EXPECT_TRUE(eventually([&] { return db.pool_info().available == 2; }));
  auto held = hold(db, 4);
  auto info = db.pool_info();
  EXPECT_EQ(info.total, 4U);
  EXPECT_EQ(info.checked_out, 4U);
  EXPECT_EQ(info.size, 4U);
  held.clear();
  EXPECT_TRUE(eventually([&] { return db.pool_info().available == 4; }));
}

TEST_F(ClientPoolTest, OverflowGoesWhenItIsReturned) {
  auto wide = config();
  wide.pool.max_size = 1;
  wide.pool.max_overflow = 2;
  auto db = connected(wide);
  auto held = hold(db, 3);
  EXPECT_EQ(db.pool_info().overflow, 2U);
  held.clear();
  EXPECT_TRUE(eventually([&] { return db.pool_info().total == 1; }));
}

TEST_F(ClientPoolTest, WhatIsIdleForLongIsClosedDownToTheLeastSize) {
  auto brief = config();
  brief.pool.max_idle = 40ms;
  auto db = connected(brief);
  hold(db, 3).clear();
  EXPECT_TRUE(eventually([&] { return db.pool_info().total == 1; }));
}

TEST_F(ClientPoolTest, WhatIsOldIsReplaced) {
  auto brief = config();
  brief.pool.max_size = 1;
  brief.pool.max_lifetime = 60ms;
  auto db = connected(brief);
  const auto pid = [&] { return number(db.execute("SELECT pg_backend_pid() AS pid"), "pid"); };
  const auto first = pid();
  EXPECT_TRUE(eventually([&] { return pid() != first; }));
}

TEST_F(ClientPoolTest, RequestsBeyondTheLimitOfWaitersAreRefusedAtOnce) {
  auto small = config();
  small.pool.max_size = 1;
  small.pool.max_waiting = 1;
  auto db = connected(small);
  auto held = hold(db, 1);
  auto waiting = std::async(std::launch::async, [&] { return db.execute("SELECT 1"); });
  ASSERT_TRUE(eventually([&] { return db.pool_info().waiting == 1; }));
  const auto refused = db.execute("SELECT 1");
  EXPECT_EQ(refused.error().kind(), ErrorKind::overloaded);
  EXPECT_EQ(refused.error().code(), "pool_exhausted");
  held.clear();
  EXPECT_TRUE(waiting.get());
}

// To wait for a connection of the pool is one thing, to wait for the server another.
TEST_F(ClientPoolTest, ToConnectTakesAsLongAsTheServerDoes) {
  auto brief = config();
  brief.pool.timeout = 0ms;
  PostgresSyncConnector db{brief};
  const auto status = db.connect();
  ASSERT_TRUE(status) << status.error().to_string();
  ASSERT_TRUE(eventually([&] { return db.pool_info().available == 1; }));
  EXPECT_TRUE(db.execute("SELECT 1"));
}

TEST_F(ClientPoolTest, ToConnectAgainWaitsForNobody) {
  auto small = config();
  small.pool.max_size = 1;
  auto db = connected(small);
  auto held = hold(db, 1);
  EXPECT_TRUE(db.connect());
}

TEST_F(ClientPoolTest, CloseAnswersThoseWhoWaitAndThoseWhoRun) {
  auto small = config();
  small.pool.max_size = 1;
  auto db = connected(small);
  auto sleeper = db.session();
  auto running = std::async(std::launch::async,
                            [&] { return sleeper.execute("SELECT pg_sleep(60)"); });
  ASSERT_TRUE(eventually([&] { return db.pool_info().checked_out == 1; }));
  auto waiting = std::async(std::launch::async, [&] { return db.execute("SELECT 1"); });
  ASSERT_TRUE(eventually([&] { return db.pool_info().waiting == 1; }));
  EXPECT_TRUE(db.close());
  EXPECT_EQ(waiting.get().error().kind(), ErrorKind::connection);
  EXPECT_EQ(running.get().error().kind(), ErrorKind::connection);
}

TEST_F(ClientPoolTest, AServerThatComesBackIsUsedAgain) {
  test::PostgresServer own{"/tmp/millrace-pg-client-" + std::to_string(getpid())};
  if (own.port() == 0)
    GTEST_SKIP() << test::PostgresServer::why_not();
  auto there = config();
  there.host = {own.host()};
  there.port = own.port();
  there.user = own.user();
  there.dbname = own.dbname();
  there.parameters.clear();
  there.retry.connection_base = 5ms;
  auto db = connected(there);
  ASSERT_TRUE(db.execute("SELECT 1"));
  ASSERT_TRUE(own.stop());
  const auto refused = db.execute("SELECT 1", {}, {.read_only = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::connection);
  ASSERT_TRUE(own.start());
  EXPECT_TRUE(db.execute("SELECT 1", {}, {.read_only = true}));
}

TEST_F(ClientPoolTest, ManyThreadsLoseNoConnection) {
  auto small = config();
  small.pool.max_size = 3;
  small.pool.timeout = 20ms;
  auto db = connected(small);
  std::vector<std::future<int>> threads;
  for (int i = 0; i < 6; ++i) {
    threads.push_back(std::async(std::launch::async, [&db] {
      int answered = 0;
      for (int n = 0; n < 100; ++n) {
        const auto result = db.execute("SELECT pg_sleep(0.005)");
        // Either it ran, or it waited too long: never anything else.
        answered += result || result.error().kind() == ErrorKind::timeout ? 1 : 0;
      }
      return answered;
    }));
  }
  for (auto& thread : threads)
    EXPECT_EQ(thread.get(), 100);
  EXPECT_TRUE(eventually([&] { return db.pool_info().checked_out == 0; }));
  EXPECT_LE(db.pool_info().total, 3U);
  EXPECT_TRUE(db.execute("SELECT 1"));
}

}  // namespace
}  // namespace millrace::postgres
