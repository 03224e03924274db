// Coroutines on Boost.Asio: argv[1] is the address of a PostgreSQL. Examples of docs/library.md.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <iostream>
#include <millrace/postgres_asio.hpp>

using namespace millrace;
using boost::asio::awaitable;
using boost::asio::use_awaitable;

namespace {

awaitable<Result<std::int64_t>> shop(PostgresAsyncConnector& db) {
  if (auto connected = co_await db.async_connect(use_awaitable); !connected)
    co_return connected.error();

  auto result = co_await db.async_execute("SELECT ?::int + ?::int AS sum", {1, 2}, use_awaitable);
  if (!result)
    co_return result.error();

  auto written = co_await with_transaction(
    db, [](PostgresAsyncConnector& tx) -> awaitable<Result<std::int64_t>> {
      auto made = co_await tx.async_execute("CREATE TEMP TABLE t (n int) ON COMMIT DROP",
                                            use_awaitable);
      if (!made)
        co_return made.error();  // rolls back
      auto filled = co_await tx.async_execute("INSERT INTO t SELECT generate_series(1, ?::int)",
                                              {100}, use_awaitable);
      if (!filled)
        co_return filled.error();
      co_return *filled->rowcount;  // commits
    });
  if (!written)
    co_return written.error();

  auto rows = co_await db.async_stream("SELECT n FROM generate_series(1, 2500) n", {}, {},
                                       use_awaitable);
  std::int64_t streamed = 0;
  while (rows) {
    auto chunk = co_await async_next(*rows, use_awaitable);
    if (!chunk || chunk->size() == 0)
      break;
    streamed += static_cast<std::int64_t>(chunk->size());
  }
  co_return result->fetch_one().find("sum")->as_integer() + *written + streamed;
}

// What is spawned gives nothing back that must be made without a value.
awaitable<bool> report(PostgresAsyncConnector& db) {
  const auto sum = co_await shop(db);
  if (!sum)
    std::cerr << sum.error().to_string() << '\n';
  co_return sum&&* sum == 3 + 100 + 2500;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2)
    return EXIT_FAILURE;
  PostgresAsyncConnector db{{.name = "shop", .url = argv[1]}};
  boost::asio::io_context io;
  auto answer = boost::asio::co_spawn(io, report(db), boost::asio::use_future);
  io.run();
  const bool good = answer.get();
  const auto closed = db.async_close(boost::asio::use_future).get();
  return good && closed ? EXIT_SUCCESS : EXIT_FAILURE;
}
