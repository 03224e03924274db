// Schemas that change under prepared statements, and what the cache of them holds.
#include "tests/actors/db/postgres_fixture.hpp"

#include <atomic>
#include <thread>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;

class SchemaChangeTest : public PostgresTest {
protected:
  void prepare() override {
    case_.settings.pool.max_size = 4;
    open();
    make_table(*pool_, "s", "id INTEGER, v INTEGER");
  }
};

TEST_F(SchemaChangeTest, IsNeverSeenByAnAutocommitCallerUnderLoad) {
  std::atomic<bool> stop = false;
  std::atomic<int> done = 0;
  std::vector<std::thread> callers;
  callers.reserve(3);
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; !stop; ++i) {
        const Value id{caller * 1'000'000 + i};
        const auto inserted = pool_->run("INSERT INTO s (id, v) VALUES ($1, $2)", {id, Value{i}});
        EXPECT_TRUE(inserted) << inserted.error().to_string();
        const auto read = pool_->run("SELECT * FROM s WHERE id = $1", {id});
        EXPECT_TRUE(read) << read.error().to_string();
        const auto changed = pool_->run("UPDATE s SET v = $1 WHERE id = $2 RETURNING *",
                                        {Value{i + 1}, id});
        EXPECT_TRUE(changed) << changed.error().to_string();
        Awaited<ExecuteReply> batch;
        pool_->handle().execute_batch({{.sql = "SELECT * FROM s WHERE id = $1", .sets = {{id}}},
                                       {.sql = "DELETE FROM s WHERE id = $1", .sets = {{id}}}},
                                      batch.callback());
        for (const auto& result : batch.get().results)
          EXPECT_TRUE(result) << result.error().to_string();
        ++done;
      }
    });
  }
  PoolFixture other{case_.settings, *case_.driver};
  for (int i = 0; i < 40; ++i) {
    const auto before = done.load();
    const char* sql = i % 4 == 0   ? "ALTER TABLE s ADD COLUMN more INTEGER DEFAULT 5"
                      : i % 4 == 1 ? "ALTER TABLE s ALTER COLUMN v TYPE TEXT"
                      : i % 4 == 2 ? "ALTER TABLE s DROP COLUMN more"
                                   : "ALTER TABLE s ALTER COLUMN v TYPE INTEGER USING v::INTEGER";
    const auto altered = other.run(sql);
    ASSERT_TRUE(altered) << sql << altered.error().to_string();
    while (done < before + 3)
      std::this_thread::yield();
  }
  stop = true;
  for (auto& caller : callers)
    caller.join();
}

TEST_F(SchemaChangeTest, NeverShowsACallerTheTypeThatAParameterHad) {
  struct Change {
    std::string before, after, conversion;
    Value old_value, new_value;
  };

  const std::vector<Change> changes{
    {"INTEGER", "TEXT", "v::TEXT", 1, "abc"},
    {"INTEGER", "BIGINT", "v", 1, 5'000'000'000},
    {"SMALLINT", "NUMERIC", "v", 1, "1.5"},
    {"DATE", "TEXT", "v::TEXT", "2026-11-21", "soon"},
    {"UUID", "TEXT", "v::TEXT", "00000000-0000-0000-0000-000000000001", "none"},
    {"INTEGER", "JSONB", "to_jsonb(v)", 1, Value::object({{"a", 1}})},
    {"INTEGER", "INTEGER[]", "ARRAY[v]", 1, Value::array({1, 2})},
  };
  PoolFixture other{case_.settings, *case_.driver};
  for (const auto& change : changes) {
    SCOPED_TRACE(change.before + " to " + change.after);
    ASSERT_TRUE(other.run("DROP TABLE s"));
    ASSERT_TRUE(other.run("CREATE TABLE s (id INTEGER, v " + change.before + ")"));
    // Statements of their own, that no connection has met before.
    const auto mark = " -- " + change.before + change.after;
    const auto insert = "INSERT INTO s (id, v) VALUES ($1, $2)" + mark;
    const auto update = "UPDATE s SET v = $2 WHERE id = $1" + mark;
    const auto find = "SELECT id FROM s WHERE v = $1" + mark;
    const auto load = [&](const Value& value) {
      // On several connections, alone and together.
      for (const int callers : {1, 60}) {
        std::vector<Awaited<ExecuteReply>> replies(static_cast<std::size_t>(callers) * 3);
        for (std::size_t i = 0; i < replies.size(); i += 3) {
          const Value id{static_cast<std::int64_t>(i)};
          pool_->handle().execute({.sql = insert, .sets = {{id, value}}}, replies[i].callback());
          pool_->handle().execute({.sql = update, .sets = {{id, value}}},
                                  replies[i + 1].callback());
          pool_->handle().execute({.sql = find, .sets = {{value}}}, replies[i + 2].callback());
        }
        for (auto& reply : replies) {
          const auto result = std::move(reply.get().results.front());
          EXPECT_TRUE(result) << result.error().to_string();
        }
      }
    };
    for (int i = 0; i < 5; ++i)
      load(change.old_value);
    const auto altered = other.run("ALTER TABLE s ALTER COLUMN v TYPE " + change.after + " USING "
                                   + change.conversion);
    ASSERT_TRUE(altered) << altered.error().to_string();
    load(change.new_value);
    EXPECT_EQ(integer(*pool_, "SELECT count(*) AS n FROM s"), 6 * 61);
  }
}

TEST_F(SchemaChangeTest, ValuesThatAreWrongLeaveNoPreparedStatementsBehind) {
  case_.settings.pool.max_size = 1;
  open();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(
      pool_->run("INSERT INTO s VALUES ($1, $2)", {Value{i}, Value{"no number"}}).error().code(),
      "22P02");
    EXPECT_EQ(pool_->run("SELECT nowhere FROM s WHERE id = $1", {Value{i}}).error().code(),
              "42703");
    std::this_thread::sleep_for(10ms);  // a pace: so that the types are doubted more than once
  }
  EXPECT_LE(integer(*pool_, "SELECT count(*) AS n FROM pg_prepared_statements WHERE statement LIKE "
                            "'INSERT INTO s %' OR statement LIKE 'SELECT nowhere%'"),
            2);
}

TEST_F(SchemaChangeTest, TellsATransactionToRunAgain) {
  auto session = pool_->begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(*session, "SELECT * FROM s WHERE id = $1", {Value{1}}));
  ASSERT_TRUE(commit(*session));
  case_.settings.pool.max_size = 1;
  PoolFixture other{case_.settings, *case_.driver};
  ASSERT_TRUE(other.run("ALTER TABLE s ADD COLUMN more INTEGER"));
  // Once at most for each connection that had prepared it: one has run it, on another the catalog
  // was asked about it.
  int told = 0;
  for (bool done = false; !done; ++told) {
    ASSERT_LE(told, 2);
    session = pool_->begin();
    ASSERT_TRUE(session);
    const auto read = run(*session, "SELECT * FROM s WHERE id = $1", {Value{1}});
    done = read.has_value();
    if (!read) {
      EXPECT_EQ(read.error().kind(), ErrorKind::transaction) << read.error().to_string();
      EXPECT_TRUE(read.error().retryable());
    }
    EXPECT_TRUE(rollback(*session));
  }
}

TEST_F(SchemaChangeTest, StillShowsTheErrorsThatAStatementReallyHas) {
  ASSERT_TRUE(pool_->run("SELECT v FROM s WHERE id = $1", {Value{1}}));
  ASSERT_TRUE(pool_->run("ALTER TABLE s DROP COLUMN v"));
  const auto gone = pool_->run("SELECT v FROM s WHERE id = $1", {Value{1}});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), "42703");
}

TEST_F(SchemaChangeTest, KeepsNoMorePreparedStatementsThanItMay) {
  case_.settings.statement_cache = 4;
  case_.settings.pool.max_size = 1;
  open();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20; ++i) {
      const auto text = std::to_string(i);
      EXPECT_EQ(integer(*pool_, "SELECT " + text + " AS n"), i);
    }
  }
  EXPECT_LE(integer(*pool_, "SELECT count(*) AS n FROM pg_prepared_statements"), 5);
}

TEST_F(SchemaChangeTest, SurvivesThatTheServerForgetsAllPreparedStatements) {
  case_.settings.pool.max_size = 1;
  open();
  EXPECT_TRUE(pool_->run("SELECT $1::int AS n", {Value{1}}));
  auto session = pool_->begin();
  ASSERT_TRUE(session);
  EXPECT_TRUE(run(*session, "SELECT $1::int AS n", {Value{1}}));
  EXPECT_TRUE(run(*session, "DEALLOCATE ALL"));
  EXPECT_TRUE(run(*session, "SELECT $1::int AS n", {Value{1}}));
  EXPECT_TRUE(run(*session, "INSERT INTO s VALUES ($1, $2)", {Value{1}, Value{2}}));
  const auto committed = commit(*session);
  EXPECT_TRUE(committed) << committed.error().to_string();
  EXPECT_TRUE(pool_->run("SELECT $1::int AS n", {Value{1}}));
  // DISCARD ALL behind our back.
  ASSERT_TRUE(pool_->run("CREATE OR REPLACE FUNCTION forget() RETURNS int LANGUAGE plpgsql AS "
                         "$$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$"));
  EXPECT_TRUE(pool_->run("SELECT forget()"));
  const auto after = pool_->run("SELECT $1::int AS n", {Value{1}});
  EXPECT_TRUE(after) << after.error().to_string();
  // And before our eyes: what runs next finds its names again, whether that was let through or not.
  static_cast<void>(pool_->run("DISCARD ALL"));
  static_cast<void>(pool_->run("DEALLOCATE ALL"));
  for (int i = 0; i < 2; ++i) {
    const auto last = pool_->run("SELECT $1::int AS n", {Value{1}});
    EXPECT_TRUE(last) << last.error().to_string();
  }
}

/// Two servers of which one takes writes, and then the other.
class DemotionTest : public testing::Test {
protected:
  void SetUp() override {
    if (test::PostgresServer::shared() == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    for (int i = 0; i < 2; ++i) {
      auto& server = servers_[i];
      server = std::make_unique<test::PostgresServer>("/tmp/millrace-pg-role" + std::to_string(i)
                                                      + "-" + std::to_string(getpid()));
      auto one = postgres_case(*server);
      one.settings.pool.max_size = 1;
      helpers_[i] = std::make_unique<PoolFixture>(one.settings, *one.driver);
      EXPECT_TRUE(helpers_[i]->run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
      EXPECT_TRUE(helpers_[i]->run("CREATE TABLE s (id INTEGER)"));
      settings_ = one.settings;
      driver_ = one.driver;
    }
    settings_.hosts = {{servers_[0]->host(), servers_[0]->port()},
                       {servers_[1]->host(), servers_[1]->port()}};
    settings_.target_session_attrs = "read-write";
    settings_.pool.max_size = 3;
    takes_writes(1, false);
  }

  void takes_writes(int server, bool on) {
    auto& helper = *helpers_[server];
    const auto session = helper.begin();
    ASSERT_TRUE(session);
    ASSERT_TRUE(run(*session, "SET TRANSACTION READ WRITE"));
    // ALTER SYSTEM has to stand outside a transaction; a file does as well.
    ASSERT_TRUE(rollback(*session));
    const auto altered = helper.run(std::string{"ALTER SYSTEM SET default_transaction_read_only = "}
                                    + (on ? "off" : "on"));
    ASSERT_TRUE(altered) << altered.error().to_string();
    ASSERT_TRUE(helper.run("SELECT pg_reload_conf()"));
  }

  std::int64_t rows(int server) {
    return helpers_[server]->rows("SELECT count(*) AS n FROM s").items()[0].find("n")->as_integer();
  }

  std::unique_ptr<test::PostgresServer> servers_[2];
  std::unique_ptr<PoolFixture> helpers_[2];
  sdk::DatabaseSettings settings_;
  const sdk::DatabaseDriver* driver_ = nullptr;
};

TEST_F(DemotionTest, LeavesAServerThatTakesNoWritesAnyMoreForTheOneThatDoes) {
  PoolFixture pool{settings_, *driver_};
  ASSERT_TRUE(pool.run("INSERT INTO s VALUES (1)"));
  EXPECT_EQ(rows(0), 1);
  takes_writes(1, true);
  takes_writes(0, false);
  // Who reads is not refused; the first write finds out. It was not done, so it may go elsewhere.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int written = 0;
  while (rows(1) < 3 && std::chrono::steady_clock::now() < deadline) {
    const auto insert = pool.run("INSERT INTO s VALUES (2)");
    EXPECT_TRUE(insert) << insert.error().to_string();
    written += insert ? 1 : 0;
  }
  EXPECT_EQ(rows(0) + rows(1), written + 1);
  const auto session = pool.begin();
  ASSERT_TRUE(session);
  EXPECT_TRUE(run(*session, "INSERT INTO s VALUES (3)"));
  EXPECT_TRUE(commit(*session));
}

}  // namespace
}  // namespace millrace::actors
