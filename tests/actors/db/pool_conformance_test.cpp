#include "tests/actors/db/conformance.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

class PoolConformanceTest : public ConformanceTest {};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

TEST_P(PoolConformanceTest, SaysThatItIsHealthy) {
  const auto report = pool().health();

  EXPECT_EQ(report.status, HealthStatus::healthy) << report.message;
  EXPECT_EQ(report.message, "Database connection OK");
  EXPECT_GE(report.latency_ms, 0);
}

TEST_P(PoolConformanceTest, SaysThatItIsOverrunWhereNoConnectionIsLeftForTheHealthCheck) {
  case_.settings.pool.max_size = 1;
  open();
  const auto session = pool().begin();

  EXPECT_EQ(pool().health().status, HealthStatus::degraded);
}

TEST_P(PoolConformanceTest, IsHealthyWhileItsLaneIsFullOfWork) {
  case_.settings.pool.max_size = 3;
  case_.settings.pool.lane_connections = 1;
  open();
  const std::string slow = is_postgres()
                             ? "SELECT pg_sleep(0.05)"
                             : "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                               "WHERE i < 100000) SELECT count(*) FROM n";
  std::vector<Awaited<ExecuteReply>> replies(100);
  for (auto& reply : replies)
    pool().handle().execute({.sql = slow}, reply.callback());

  // A machine that is busy itself may take its time for a new connection, once.
  HealthReport best{HealthStatus::unhealthy, "", 1e9};
  for (int i = 0; i < 4; ++i) {
    const auto report = pool().health();
    EXPECT_NE(report.status, HealthStatus::unhealthy) << report.message;
    if (report.latency_ms < best.latency_ms)
      best = report;
  }
  EXPECT_EQ(best.status, HealthStatus::healthy) << best.message;
  EXPECT_LT(best.latency_ms, 500) << "it does not wait for them";
}

TEST_P(PoolConformanceTest, LetsReadersGoOnBesideAWriter) {
  case_.settings.pool.max_size = 4;
  case_.settings.pool.lane_connections = 2;
  open();
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  make("INSERT INTO t VALUES (1)");
  const auto writer = pool().begin();
  ASSERT_TRUE(writer);
  ASSERT_TRUE(run(*writer, "INSERT INTO t VALUES (2)"));
  Awaited<ExecuteReply> other_write;
  pool().handle().execute({.sql = "INSERT INTO t VALUES (3)"}, other_write.callback());

  const auto reader = pool().begin({.read_only = true});
  ASSERT_TRUE(reader);
  EXPECT_EQ(run(*reader, "SELECT id FROM t WHERE id < 3")->rows.size(), 1U);
  EXPECT_TRUE(commit(*reader));
  EXPECT_TRUE(commit(*writer));
  EXPECT_TRUE(other_write.get().results.front()) << "it had only to wait";
  EXPECT_EQ(count("t"), 3);
}

TEST_P(PoolConformanceTest, LosesNoWriteOfManyCallersAtOnce) {
  case_.settings.pool.max_size = 8;
  case_.settings.pool.lane_connections = 4;
  open();
  make("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
  make("INSERT INTO t VALUES (1, 0)");
  constexpr int callers = 4;
  constexpr int rounds = 50;
  std::vector<std::thread> threads;
  threads.reserve(callers);
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        const auto alone = pool().run("UPDATE t SET n = n + 1 WHERE id = 1");
        EXPECT_TRUE(alone) << alone.error().to_string();
        const auto session = pool().begin();
        EXPECT_TRUE(session);
        EXPECT_TRUE(run(*session, "UPDATE t SET n = n + 1 WHERE id = 1"));
        EXPECT_TRUE(commit(*session));
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(pool().rows("SELECT n FROM t").items()[0].find("n")->as_integer(),
            2 * callers * rounds);
}

TEST_P(PoolConformanceTest, DrainsWhatItHadAcceptedAndThenRefuses) {
  Awaited<ExecuteReply> accepted;
  pool().handle().execute({.sql = "SELECT 1 AS one"}, accepted.callback());
  std::promise<void> drained;
  pool().handle().drain([&] { drained.set_value(); });

  EXPECT_TRUE(accepted.get().results.front());
  drained.get_future().get();
  const auto late = pool().run("SELECT 1");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::connection);
}

TEST_P(PoolConformanceTest, AnswersWhatIsOpenWhenItCloses) {
  Awaited<ExecuteReply> open;
  pool().handle().execute(
    {.sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) "
            "SELECT count(*) AS n FROM n"},
    open.callback());
  const auto session = pool().begin();
  pool().handle().close();
  pool().handle().close();

  EXPECT_FALSE(open.get().results.front());
  EXPECT_FALSE(pool().begin());
}

TEST_P(PoolConformanceTest, RefusesMoreThanMayWait) {
  case_.settings.pool.max_size = 1;
  case_.settings.pool.max_waiting = 2;
  open();
  const auto session = pool().begin();
  std::vector<Awaited<ExecuteReply>> replies(3);
  for (auto& reply : replies)
    pool().handle().execute({.sql = "SELECT 1"}, reply.callback());

  const auto refused = replies[2].get();
  ASSERT_FALSE(refused.results.front());
  EXPECT_EQ(refused.results.front().error().kind(), ErrorKind::overloaded);
  EXPECT_TRUE(rollback(*session));
  EXPECT_TRUE(replies[0].get().results.front());
}

TEST_P(PoolConformanceTest, LeavesNoDescriptorsBehind) {
  open();
  EXPECT_TRUE(pool().run("SELECT 1"));
  const auto before = open_descriptors();
  for (int i = 0; i < 10; ++i) {
    open();
    EXPECT_TRUE(pool().run("SELECT 1"));
    const auto session = pool().begin();
    EXPECT_TRUE(run(*session, "SELECT 1"));
  }
  open();
  EXPECT_TRUE(pool().run("SELECT 1"));

  EXPECT_LE(open_descriptors(), before);
}

TEST_P(PoolConformanceTest, ConnectsAgainAfterAClose) {
  pool().handle().close();
  open();

  EXPECT_TRUE(pool().run("SELECT 1"));
}

INSTANTIATE_TEST_SUITE_P(Drivers, PoolConformanceTest, testing::Values("sqlite", "postgres"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace millrace::actors
