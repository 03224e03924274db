// The same with callbacks, futures and coroutines.
#include "connectors/asio/reactor.hpp"
#include "connectors/postgres/client/asio.hpp"
#include "connectors/postgres/client/client_fixture.hpp"
#include "connectors/sdk/json.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using boost::asio::use_future;
using sdk::ErrorKind;
using sdk::Result;
using sdk::SqlResult;
using sdk::Status;
using sdk::Value;

class AsyncConnectorTest : public ClientTest {
protected:
  /// Runs a coroutine to its end.
  template <class Fn>
  void run(Fn fn) {
    boost::asio::io_context io;
    std::exception_ptr thrown;
    boost::asio::co_spawn(io, std::move(fn),
                          [&](std::exception_ptr exception) { thrown = std::move(exception); });
    io.run();
    if (thrown)
      std::rethrow_exception(thrown);
  }
};

TEST_F(AsyncConnectorTest, CallbacksAreCalledOnceWithRowsOrTheError) {
  CallbackConnector db{config()};
  std::promise<Status> connected;
  db.async_connect([&](Status status) { connected.set_value(std::move(status)); });
  ASSERT_TRUE(connected.get_future().get());
  std::promise<Result<SqlResult>> good;
  std::promise<Result<SqlResult>> bad;
  db.async_execute("SELECT name FROM items WHERE id = ?", {2}, {},
                   [&](Result<SqlResult> result) { good.set_value(std::move(result)); });
  db.async_execute("SELEC", {}, {},
                   [&](Result<SqlResult> result) { bad.set_value(std::move(result)); });
  auto rows = good.get_future().get();
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->fetch_one(), (Value::object({{"name", "bolt"}})));
  EXPECT_EQ(bad.get_future().get().error().code(), "42601");
  std::promise<Status> closed;
  db.async_close([&](Status status) { closed.set_value(std::move(status)); });
  EXPECT_TRUE(closed.get_future().get());
  std::promise<Result<SqlResult>> late;
  db.async_execute("SELECT 1", {}, {},
                   [&](Result<SqlResult> result) { late.set_value(std::move(result)); });
  EXPECT_EQ(late.get_future().get().error().code(), "08003");
}

TEST_F(AsyncConnectorTest, MistakesInTheSettingsComeBackFromConnect) {
  auto wrong = config();
  wrong.port = 0;
  CallbackConnector db{wrong};
  std::promise<Status> connected;
  db.async_connect([&](Status status) { connected.set_value(std::move(status)); });
  EXPECT_EQ(connected.get_future().get().error().kind(), ErrorKind::config);
}

TEST_F(AsyncConnectorTest, CoroutinesAwaitEveryOperation) {
  PostgresAsyncConnector db{config()};
  run([&]() -> awaitable<void> {
    EXPECT_TRUE(co_await db.async_connect(use_awaitable));
    auto rows = co_await db.async_execute("SELECT id FROM items WHERE stock > ? ORDER BY id", {5},
                                          use_awaitable);
    EXPECT_TRUE(rows);
    EXPECT_EQ(rows->rowcount, 2);
    EXPECT_TRUE(co_await db.async_begin({}, use_awaitable));
    EXPECT_EQ((co_await db.async_begin({}, use_awaitable)).error().code(), "25001");
    EXPECT_TRUE(co_await db.async_execute("DELETE FROM items", use_awaitable));
    EXPECT_TRUE(co_await db.async_rollback(use_awaitable));
    EXPECT_EQ((co_await db.async_commit(use_awaitable)).error().code(), "25P01");
    auto left = co_await db.async_execute("SELECT count(*) AS n FROM items", use_awaitable);
    EXPECT_EQ(left->fetch_one(), (Value::object({{"n", 2}})));
    EXPECT_TRUE(co_await db.async_close(use_awaitable));
    EXPECT_TRUE(co_await db.async_close(use_awaitable));
    EXPECT_TRUE(co_await db.async_connect(use_awaitable));
    EXPECT_TRUE(co_await db.async_execute("SELECT 1", use_awaitable));
  });
}

TEST_F(AsyncConnectorTest, HandlersRunOnTheirOwnExecutor) {
  PostgresAsyncConnector db{config()};
  ASSERT_TRUE(db.async_connect(use_future).get());
  boost::asio::io_context io;
  std::thread::id ran;
  bool good = false;
  // A handler that can only be moved.
  auto token = std::make_unique<int>(7);
  db.async_execute("SELECT 1", boost::asio::bind_executor(io, [&, token = std::move(token)](
                                                                const Result<SqlResult>& result) {
                     ran = std::this_thread::get_id();
                     good = result.has_value() && *token == 7;
                   }));
  io.run();
  EXPECT_EQ(ran, std::this_thread::get_id());
  EXPECT_TRUE(good);
}

TEST_F(AsyncConnectorTest, FuturesAreTokensToo) {
  PostgresAsyncConnector db{config()};
  ASSERT_TRUE(db.async_connect(use_future).get());
  const auto result = db.async_execute("SELECT 7 AS n", use_future).get();
  ASSERT_TRUE(result);
  EXPECT_EQ(sdk::to_json(result->rows), R"([{"n":7}])");
}

TEST_F(AsyncConnectorTest, QueriesRunBesideEachOther) {
  auto wide = config();
  wide.pool.min_size = 4;
  PostgresAsyncConnector db{wide};
  ASSERT_TRUE(db.async_connect(use_future).get());
  // Each waits until all four are there: one after the other they would wait for ever.
  const char* meet = "SELECT pg_advisory_xact_lock_shared(77), "
                     "(SELECT count(*) FROM pg_stat_activity WHERE application_name = ? "
                     "AND state = 'active') AS n, pg_sleep(0.4)";
  std::vector<std::future<Result<SqlResult>>> answers;
  answers.reserve(4);
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i)
    answers.push_back(db.async_execute(meet, {wide.application_name}, use_future));
  for (auto& answer : answers)
    EXPECT_TRUE(answer.get());
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1'200ms);
}

TEST_F(AsyncConnectorTest, ScopesCommitOrRollBackOnEveryExit) {
  PostgresAsyncConnector db{config()};
  run([&]() -> awaitable<void> {
    EXPECT_TRUE(co_await db.async_connect(use_awaitable));
    auto good = co_await with_transaction(
      db, [](PostgresAsyncConnector& tx) -> awaitable<Result<int>> {
        auto set = co_await tx.async_execute("UPDATE items SET stock = 1 WHERE id = 1",
                                             use_awaitable);
        EXPECT_TRUE(set);
        auto inner = co_await with_savepoint(
          tx, "inner", [](PostgresAsyncConnector& nested) -> awaitable<Status> {
            EXPECT_TRUE(co_await nested.async_execute("UPDATE items SET stock = 2 WHERE id = 1",
                                                      use_awaitable));
            co_return sdk::Error{ErrorKind::failed, "not this"};
          });
        EXPECT_FALSE(inner);
        co_return 7;
      });
    EXPECT_TRUE(good && *good == 7);
    bool threw = false;
    try {
      auto leaves = [](PostgresAsyncConnector& tx) -> awaitable<Status> {
        EXPECT_TRUE(
          co_await tx.async_execute("UPDATE items SET stock = 3 WHERE id = 1", use_awaitable));
        throw std::runtime_error{"out"};
      };
      EXPECT_FALSE(co_await with_transaction(db, leaves));
    } catch (const std::runtime_error&) {
      threw = true;
    }
    EXPECT_TRUE(threw);
    auto stock = co_await db.async_execute("SELECT stock FROM items WHERE id = 1", use_awaitable);
    EXPECT_EQ(stock->fetch_one(), (Value::object({{"stock", 1}})));
  });
}

TEST_F(AsyncConnectorTest, CoroutinesAreRetriedWithoutBlocking) {
  PostgresAsyncConnector db{config()};
  sdk::Error::Detail detail{.code = "40001"};
  detail.retryable = true;
  const sdk::Error conflict{ErrorKind::transaction, "planted", detail};
  run([&]() -> awaitable<void> {
    EXPECT_TRUE(co_await db.async_connect(use_awaitable));
    int runs = 0;
    const sdk::RetryOptions options{.attempts = 3, .conflict_base = 1ms};
    auto again = [&]() -> awaitable<Result<int>> {
      if (++runs < 3)
        co_return conflict;
      co_return runs;
    };
    auto result = co_await async_retry(again, options);
    EXPECT_TRUE(result && *result == 3);
    runs = 0;
    auto body = [&](PostgresAsyncConnector& tx) -> awaitable<Status> {
      auto set = co_await tx.async_execute("UPDATE items SET stock = stock + 1 WHERE id = 1",
                                           use_awaitable);
      if (!set)
        co_return set.error();
      if (++runs == 1)
        co_return conflict;
      co_return Status{};
    };
    auto done = co_await retry_transaction(db, body);
    EXPECT_TRUE(done);
    EXPECT_EQ(runs, 2);
    auto stock = co_await db.async_execute("SELECT stock FROM items WHERE id = 1", use_awaitable);
    EXPECT_EQ(stock->fetch_one(), (Value::object({{"stock", 11}})));
  });
}

TEST_F(AsyncConnectorTest, StreamsAreAwaitedChunkByChunk) {
  PostgresAsyncConnector db{config()};
  run([&]() -> awaitable<void> {
    EXPECT_TRUE(co_await db.async_connect(use_awaitable));
    auto stream = co_await db.async_stream("SELECT n FROM generate_series(1, ?) n", {2'500}, {},
                                           use_awaitable);
    EXPECT_TRUE(stream);
    std::size_t rows = 0;
    while (true) {
      auto chunk = co_await async_next(*stream, use_awaitable);
      EXPECT_TRUE(chunk);
      if (!chunk || chunk->size() == 0)
        break;
      rows += chunk->size();
    }
    EXPECT_EQ(rows, 2'500U);
  });
}

TEST_F(AsyncConnectorTest, BothStylesGiveTheSameRows) {
  PostgresAsyncConnector async{config()};
  ASSERT_TRUE(async.async_connect(use_future).get());
  auto sync = connected();
  const std::string sql = "SELECT id, name, stock::numeric(10,2) AS price, ARRAY[1, NULL] AS list, "
                          "'{\"a\": 1}'::jsonb AS doc, NULL AS nothing FROM items ORDER BY id";
  const auto one = async.async_execute(sql, use_future).get();
  const auto other = sync.execute(sql);
  ASSERT_TRUE(one && other);
  EXPECT_EQ(sdk::to_json(one->to_value()), sdk::to_json(other->to_value()));
}

TEST_F(AsyncConnectorTest, ABlockingCallOnItsOwnThreadIsRefusedAndDoesNotHang) {
  const std::shared_ptr<sdk::Reactor> reactor = asio::make_reactor({.threads = 1});
  const auto settings = resolve(config());
  ASSERT_TRUE(settings);
  PostgresSyncConnector blocking{*settings, sdk::silent_log(), reactor};
  CallbackConnector callbacks{*settings, sdk::silent_log(), reactor};
  ASSERT_TRUE(blocking.connect());
  std::promise<Result<SqlResult>> told;
  callbacks.async_connect([&](const Status&) { told.set_value(blocking.execute("SELECT 1")); });
  EXPECT_EQ(told.get_future().get().error().kind(), ErrorKind::internal);
}

}  // namespace
}  // namespace millrace::postgres
