// Those who share connections do not feel what one of them waits for, and do not find what one of
// them left behind.
#include "tests/actors/db/postgres_fixture.hpp"
#include "tests/support/recording_log.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::Value;
using Clock = std::chrono::steady_clock;

class NeighboursTest : public PostgresTest {
protected:
  void prepare() override {
    helper_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
    make("CREATE SCHEMA IF NOT EXISTS " + test_schema());
    make("DROP TABLE IF EXISTS n");
    make("CREATE TABLE n (id INTEGER PRIMARY KEY, v BIGINT NOT NULL)");
    make("INSERT INTO n SELECT i, 0 FROM generate_series(0, 99) i");
    open();
  }

  void TearDown() override {
    PostgresTest::TearDown();
    if (helper_)
      make("DROP TABLE IF EXISTS n");
  }

  void open() {
    pool_.reset();
    pool_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver, 1, &log_);
  }

  void make(const std::string& sql) {
    const auto done = helper_->run(sql);
    EXPECT_TRUE(done) << sql << ": " << done.error().to_string();
  }

  Awaited<ExecuteReply> start(std::string sql, sdk::Parameters parameters = {}) {
    Awaited<ExecuteReply> reply;
    pool_->handle().execute({.sql = std::move(sql), .sets = {std::move(parameters)}},
                            reply.callback());
    return reply;
  }

  struct Latencies {
    std::vector<std::chrono::microseconds> sorted;

    std::chrono::microseconds at(double part) const {
      return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
    }
  };

  /// Several callers, each with one statement at a time, on rows that nobody else wants; all of
  /// them are answered when it returns.
  Latencies work() {
    constexpr int callers = 4;
    constexpr int rounds = 150;
    std::vector<std::vector<std::chrono::microseconds>> took(callers);
    std::vector<std::thread> threads;
    threads.reserve(callers);
    for (int caller = 0; caller < callers; ++caller) {
      threads.emplace_back([this, caller, &mine = took[static_cast<std::size_t>(caller)]] {
        for (int i = 0; i < rounds; ++i) {
          const Value id{10 + caller * 20 + i % 20};
          const auto began = Clock::now();
          const auto done = i % 2 == 0 ? pool_->run(read_, {id}) : pool_->run(change_, {id});
          mine.push_back(
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began));
          EXPECT_TRUE(done) << done.error().to_string();
        }
      });
    }
    Latencies all;
    for (std::size_t caller = 0; caller < threads.size(); ++caller) {
      threads[caller].join();
      all.sorted.insert(all.sorted.end(), took[caller].begin(), took[caller].end());
    }
    std::ranges::sort(all.sorted);
    return all;
  }

  const std::string read_ = "SELECT v FROM n WHERE id = $1";
  const std::string change_ = "UPDATE n SET v = v + 1 WHERE id = $1";
  const std::string other_change_ = "UPDATE n SET v = v + 2 WHERE id = $1";
  test::RecordingLog log_;
  std::unique_ptr<PoolFixture> helper_;
};

TEST_F(NeighboursTest, DoNotFeelThatOneOfThemWaitsForARow) {
  for (const auto& waiting : {change_, other_change_}) {
    SCOPED_TRACE(waiting);
    ASSERT_TRUE(pool_->run(waiting, {Value{1}}));
    work();
    const auto without = work();

    const auto holder = helper_->begin();
    ASSERT_TRUE(holder);
    ASSERT_TRUE(run(*holder, "UPDATE n SET v = v + 100 WHERE id = 1"));
    std::atomic<bool> answered = false;
    Awaited<ExecuteReply> reply;
    pool_->handle().execute({.sql = waiting, .sets = {{Value{1}}}},
                            [&answered, done = reply.callback()](ExecuteReply result) {
                              answered = true;
                              done(std::move(result));
                            });
    const auto with = work();

    EXPECT_FALSE(answered) << "it waits all the time that the others work";
    std::cout << "neighbours, in microseconds: p50 " << without.at(0.5).count() << " and "
              << with.at(0.5).count() << ", p99 " << without.at(0.99).count() << " and "
              << with.at(0.99).count() << ", slowest " << without.at(1).count() << " and "
              << with.at(1).count() << "\n";
    EXPECT_LE(with.at(0.5), 4 * without.at(0.5) + 10ms);
    EXPECT_LE(with.at(0.99), 4 * without.at(0.99) + 60ms);
    ASSERT_TRUE(commit(*holder));
    const auto result = std::move(reply.get().results.front());
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(result->rowcount, 1);
  }
  EXPECT_EQ(helper_->rows("SELECT v FROM n WHERE id = 1").items()[0].find("v")->as_integer(),
            2 * 100 + 2 * (1 + 2));
}

// With the lock limit and the move to a connection of its own there is no circle over the lane.
TEST_F(NeighboursTest, AreNotCaughtInADeadlockThatTheServerCannotSee) {
  case_.settings.pool.max_size = 2;
  case_.settings.pool.lane_connections = 1;
  open();
  ASSERT_TRUE(pool_->run(change_, {Value{1}}));
  const auto session = pool_->begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(*session, change_, {Value{1}}));
  auto waiter = start(change_, {Value{1}});
  // Behind the waiter on the one connection that is left; the session waits for its answer.
  auto behind = start("SELECT v FROM n WHERE id = $1", {Value{2}});
  EXPECT_TRUE(behind.get().results.front());
  ASSERT_TRUE(commit(*session));
  EXPECT_TRUE(waiter.get().results.front());
}

TEST_F(NeighboursTest, DoNotWaitForAStatementThatTakesLong) {
  const std::string slow = "SELECT count(*) AS n FROM generate_series(1, $1) a, generate_series(1, "
                           "1000) b";
  ASSERT_TRUE(pool_->run(slow, {Value{1}}));
  work();
  auto reply = start(slow, {Value{8000}});
  std::this_thread::yield();
  const auto with = work();
  const auto result = std::move(reply.get().results.front());
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->rows.items()[0].find("n")->as_integer(), 8'000'000)
    << "it ran again, where nobody waits for it";
  EXPECT_LE(with.at(0.99), 600ms);
}

TEST_F(NeighboursTest, DoNotWaitForAHugeResultMoreThanOnce) {
  const std::string huge = "SELECT i, repeat('x', 100) AS text FROM generate_series(1, $1) i";
  ASSERT_TRUE(pool_->run(huge, {Value{1}}));
  work();
  for (int round = 0; round < 3; ++round) {
    auto reply = start(huge, {Value{100'000}});
    const auto with = work();
    const auto result = std::move(reply.get().results.front());
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(result->rows.size(), 100'000U);
    EXPECT_LE(with.at(0.9), 250ms) << "round " << round;
  }
  for (const auto& statement : pool_->info().by_statement) {
    if (statement.sql.find("repeat") != std::string::npos) {
      EXPECT_EQ(statement.not_shared, "it was too slow for a connection that others share");
    }
  }
}

/// A pool of one connection, so that the next caller gets what the last one left.
class TracesTest : public NeighboursTest {
protected:
  void SetUp() override {
    NeighboursTest::SetUp();
    if (IsSkipped())
      return;
    case_.settings.pool.max_size = 1;
    open();
    make("CREATE OR REPLACE FUNCTION leave_traces() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN "
         "PERFORM set_config('app.tenant', 'acme', false); "
         "PERFORM set_config('work_mem', '123kB', false); "
         "PERFORM pg_advisory_lock(4713); RETURN 1; END $$");
    make("CREATE OR REPLACE FUNCTION leave_by_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ "
         "BEGIN PERFORM leave_traces(); RETURN NEW; END $$");
    make("CREATE OR REPLACE VIEW seen AS SELECT leave_traces() AS n");
    make("DROP TABLE IF EXISTS triggered");
    make("CREATE TABLE triggered (id INTEGER)");
    make("CREATE TRIGGER leave BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION "
         "leave_by_trigger()");
    make("CREATE OR REPLACE PROCEDURE leave_by_call() LANGUAGE plpgsql AS $$ BEGIN PERFORM "
         "leave_traces(); END $$");
  }

  void expect_no_traces(const std::string& after) {
    SCOPED_TRACE("after " + after);
    // In an order that meets each kind of connection: the caller that comes next, a read and a
    // write that share, and a session.
    for (const std::string sql : {"SELECT current_setting('app.tenant', true) AS t, "
                                  "current_setting('work_mem') AS w FROM n WHERE id = 1",
                                  "SELECT pg_backend_pid() AS p, current_setting('app.tenant', "
                                  "true) AS t, current_setting('work_mem') AS w"}) {
      const auto row = pool_->rows(sql).items()[0];
      const auto* tenant = row.find("t");
      EXPECT_TRUE(tenant->is_null() || tenant->as_string().empty()) << sql;
      EXPECT_NE(row.find("w")->as_string(), "123kB") << sql;
    }
    EXPECT_EQ(
      helper_->rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4713").size(),
      0U);
    const auto session = pool_->begin();
    ASSERT_TRUE(session);
    const auto shown = run(*session, "SHOW work_mem");
    ASSERT_TRUE(shown);
    EXPECT_NE(shown->rows.items()[0].find("work_mem")->as_string(), "123kB");
    EXPECT_TRUE(rollback(*session));
  }
};

TEST_F(TracesTest, AreTakenAwayBehindEveryStatementThatMayLeaveThem) {
  for (const std::string sql :
       {"SELECT set_config('app.tenant', 'acme', false)",
        "SELECT set_config('work_mem', '123kB', false)", "SELECT pg_advisory_lock(4713)",
        "SELECT leave_traces()", "SELECT n FROM seen", "INSERT INTO triggered VALUES (1)",
        "SELECT id, leave_traces() FROM n WHERE id = 1 FOR UPDATE", "CALL leave_by_call()",
        "DO $$ BEGIN PERFORM leave_traces(); END $$",
        "SELECT pg_advisory_lock(4713), 1 / (random() - random() - 2)::int::bit(1)::int"}) {
    static_cast<void>(pool_->run(sql));
    expect_no_traces(sql);
  }
}

TEST_F(TracesTest, AreTakenAwayBehindABatch) {
  Awaited<ExecuteReply> reply;
  pool_->handle().execute_batch(
    {{.sql = "UPDATE n SET v = v + 1 WHERE id = 1"}, {.sql = "SELECT leave_traces()"}},
    reply.callback());
  for (const auto& result : reply.get().results)
    EXPECT_TRUE(result);
  expect_no_traces("a batch");
}

TEST_F(TracesTest, OfAFunctionThatSaysThatItOnlyReadsDoNotReachSessionsNorThoseWhoAreAlone) {
  make("CREATE OR REPLACE FUNCTION lie() RETURNS integer STABLE LANGUAGE plpgsql AS $$ BEGIN "
       "RETURN leave_traces(); END $$");
  const auto tenant = [](const sdk::Result<sdk::SqlResult>& result) {
    const auto* found = result->rows.items()[0].find("t");
    return found->is_null() ? std::string{} : std::string{found->as_string()};
  };
  const std::string read = "SELECT lie() AS n FROM n WHERE id = $1";
  const std::string look = "SELECT current_setting('app.tenant', true) AS t";
  ASSERT_TRUE(pool_->run(read, {Value{1}}));
  {
    const auto session = pool_->begin();
    ASSERT_TRUE(session);
    EXPECT_EQ(tenant(run(*session, look)), "");
    EXPECT_TRUE(rollback(*session));
  }
  ASSERT_TRUE(pool_->run(read, {Value{1}}));
  EXPECT_EQ(tenant(pool_->run(look + " FROM n WHERE id = 1 FOR UPDATE")), "");
  EXPECT_EQ(helper_->rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").size(), 0U);
  expect_no_traces("a function that is not what it says");
}

TEST_F(TracesTest, AreNotLookedForWhereTheCatalogKnowsThatThereAreNone) {
  // A statement that locks rows runs alone, and leaves nothing: nothing is reset behind it once
  // that is known. What is prepared for a reset shows whether there was one.
  const std::string locks = "SELECT v FROM n WHERE id = 1 FOR UPDATE";
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(pool_->run(locks));
  make("DROP TABLE IF EXISTS calls");
  const auto resets = [this] {
    return pool_
      ->rows("SELECT generic_plans + custom_plans AS n FROM pg_prepared_statements WHERE statement "
             "LIKE '%pg_advisory_unlock_all%' ORDER BY n DESC LIMIT 1")
      .items()[0]
      .find("n")
      ->as_integer();
  };
  static_cast<void>(resets());
  const auto before = resets();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(pool_->run(locks));
  EXPECT_LE(resets() - before, 2) << "those of asking";

  // So it is behind a transaction all of whose statements are known.
  const auto transfer = [&](const std::string& more) {
    const auto session = pool_->begin();
    ASSERT_TRUE(session);
    EXPECT_TRUE(run(*session, "SELECT v FROM n WHERE id = $1 FOR UPDATE", {Value{1}}));
    EXPECT_TRUE(run(*session, change_, {Value{1}}));
    if (!more.empty()) {
      EXPECT_TRUE(run(*session, more));
    }
    EXPECT_TRUE(commit(*session));
  };
  for (int i = 0; i < 5; ++i)
    transfer("");
  const auto known = resets();
  for (int i = 0; i < 10; ++i)
    transfer("");
  EXPECT_LE(resets() - known, 2) << "those of asking";
  const auto unclean = resets();
  for (int i = 0; i < 10; ++i)
    transfer("SELECT leave_traces()");
  EXPECT_GE(resets() - unclean, 10);
  expect_no_traces("a transaction");
}

}  // namespace
}  // namespace millrace::actors
