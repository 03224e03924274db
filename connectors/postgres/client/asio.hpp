// PostgresAsyncConnector: PostgreSQL for programs on Boost.Asio. Every operation takes a completion
// token: a callback, `use_awaitable`, `use_future`, `deferred`, …. The only public header that
// includes Asio.
//
//   awaitable<void> count(PostgresAsyncConnector& db) {
//     auto result = co_await db.async_execute("SELECT count(*) AS n FROM t", use_awaitable);
//     if (!result) co_return report(result.error());
//     …
//   }
//   co_await with_transaction(db, [](PostgresAsyncConnector& tx) -> awaitable<Status> { … });
#pragma once

#include "connectors/postgres/client/callback_connector.hpp"
#include "connectors/sdk/retry.hpp"
#include "connectors/sdk/sql/identifier.hpp"
#include "connectors/sdk/transaction.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace millrace::postgres {

namespace detail {

/// A handler as a std::function: Asio's may be moved only. It runs on the executor that belongs to
/// it, which has work until then.
template <class T, class Handler>
std::function<void(T)> on_executor(Handler handler) {
  auto executor = boost::asio::get_associated_executor(handler, boost::asio::system_executor{});

  struct State {
    Handler handler;
    boost::asio::executor_work_guard<decltype(executor)> work;
  };

  auto state = std::make_shared<State>(
    State{std::move(handler), boost::asio::executor_work_guard<decltype(executor)>{executor}});
  return [state](T value) mutable {
    auto taken = std::move(state);
    auto work = std::move(taken->work);
    boost::asio::dispatch(work.get_executor(), [handler = std::move(taken->handler),
                                                value = std::move(value)]() mutable {
      std::move(handler)(std::move(value));
    });
  };
}

/// Starts an operation that gives a T, with any token.
template <class T, class Token, class Start>
auto initiate(Token&& token, Start&& start) {
  return boost::asio::async_initiate<Token, void(T)>(
    [](auto handler, auto begin) { begin(on_executor<T>(std::move(handler))); }, token,
    std::forward<Start>(start));
}

}  // namespace detail

/// What sdk::TransactionOptions says of a begin, in a type that GCC 12 can make inside of a
/// `co_await`: it copies the bytes of aggregates there.
struct BeginOptions {
  sdk::Isolation isolation = sdk::Isolation::server_default;
  bool read_only = false;
  bool deferrable = false;
  std::optional<std::chrono::milliseconds> idle_timeout{};
  std::optional<std::chrono::milliseconds> timeout{};

  // NOLINTNEXTLINE(google-explicit-constructor)
  operator sdk::TransactionOptions() const {
    sdk::TransactionOptions options;
    options.isolation = isolation;
    options.read_only = read_only;
    options.deferrable = deferrable;
    options.idle_timeout = idle_timeout;
    options.timeout = timeout;
    return options;
  }
};

static_assert(
  std::is_trivially_copyable_v<
    BeginOptions> && std::is_trivially_copyable_v<sdk::StatementOptions> && std::is_trivially_copyable_v<StreamOptions>);

/// A callback runs on the executor that it is bound to, else on a thread of the connector's.
/// The connector outlives its operations.
class PostgresAsyncConnector {
public:
  explicit PostgresAsyncConnector(const ConnectionConfig& config, sdk::Log& log = sdk::silent_log())
    : callbacks_{config, log} {}

  explicit PostgresAsyncConnector(Settings settings, sdk::Log& log = sdk::silent_log(),
                                  std::shared_ptr<sdk::Reactor> reactor = nullptr)
    : callbacks_{std::move(settings), log, std::move(reactor)} {}

  explicit PostgresAsyncConnector(CallbackConnector&& callbacks)
    : callbacks_{std::move(callbacks)} {}

  /// The same connector where an AsyncDatabase& is wanted.
  CallbackConnector& callbacks() noexcept { return callbacks_; }

  using Results = std::vector<sdk::Result<sdk::SqlResult>>;

  template <class Token>
  auto async_connect(Token&& token) {
    return detail::initiate<sdk::Status>(
      std::forward<Token>(token),
      [this](sdk::StatusCallback done) { callbacks_.async_connect(std::move(done)); });
  }

  template <class Token>
  auto async_execute(std::string sql, sdk::Arguments arguments, sdk::StatementOptions options,
                     Token&& token) {
    return detail::initiate<sdk::Result<sdk::SqlResult>>(
      std::forward<Token>(token), [this, sql = std::move(sql), arguments = std::move(arguments),
                                   options](sdk::ResultCallback done) mutable {
        callbacks_.async_execute(std::move(sql), std::move(arguments), options, std::move(done));
      });
  }

  template <class Token>
  auto async_execute(std::string sql, sdk::Arguments arguments, Token&& token) {
    return async_execute(std::move(sql), std::move(arguments), sdk::StatementOptions{},
                         std::forward<Token>(token));
  }

  template <class Token>
  auto async_execute(std::string sql, Token&& token) {
    return async_execute(std::move(sql), sdk::Arguments{}, sdk::StatementOptions{},
                         std::forward<Token>(token));
  }

  template <class Token>
  auto async_execute_many(std::string sql, std::vector<sdk::Arguments> sets,
                          sdk::StatementOptions options, Token&& token) {
    return detail::initiate<Results>(
      std::forward<Token>(token), [this, sql = std::move(sql), sets = std::move(sets),
                                   options](std::function<void(Results)> done) mutable {
        callbacks_.async_execute_many(std::move(sql), std::move(sets), options, std::move(done));
      });
  }

  template <std::same_as<sdk::TransactionOptions> Options, class Token>
  auto async_begin(const Options& options, Token&& token) {
    return detail::initiate<sdk::Status>(std::forward<Token>(token),
                                         [this, options](sdk::StatusCallback done) {
                                           callbacks_.async_begin(options, std::move(done));
                                         });
  }

  template <class Token>
  auto async_begin(BeginOptions options, Token&& token) {
    return async_begin(static_cast<sdk::TransactionOptions>(options), std::forward<Token>(token));
  }

  template <class Token>
  auto async_commit(Token&& token) {
    return detail::initiate<sdk::Status>(
      std::forward<Token>(token),
      [this](sdk::StatusCallback done) { callbacks_.async_commit(std::move(done)); });
  }

  template <class Token>
  auto async_rollback(Token&& token) {
    return detail::initiate<sdk::Status>(
      std::forward<Token>(token),
      [this](sdk::StatusCallback done) { callbacks_.async_rollback(std::move(done)); });
  }

  template <class Token>
  auto async_close(Token&& token) {
    return detail::initiate<sdk::Status>(
      std::forward<Token>(token),
      [this](sdk::StatusCallback done) { callbacks_.async_close(std::move(done)); });
  }

  template <class Token>
  auto async_stream(std::string sql, sdk::Arguments arguments, StreamOptions options,
                    Token&& token) {
    return detail::initiate<sdk::Result<RowStream>>(
      std::forward<Token>(token),
      [this, sql = std::move(sql), arguments = std::move(arguments),
       options](std::function<void(sdk::Result<RowStream>)> done) mutable {
        callbacks_.async_stream(std::move(sql), std::move(arguments), options, std::move(done));
      });
  }

  PostgresAsyncConnector session() const { return PostgresAsyncConnector{callbacks_.session()}; }

private:
  CallbackConnector callbacks_;
};

static_assert(sdk::AsyncDatabaseConnector<PostgresAsyncConnector>);

/// The next chunk of a stream, with any token.
template <class Token>
auto async_next(RowStream& stream, Token&& token) {
  return detail::initiate<sdk::Result<sdk::Value>>(
    std::forward<Token>(token), [&stream](std::function<void(sdk::Result<sdk::Value>)> done) {
      stream.async_next(std::move(done));
    });
}

namespace detail {

template <class Fn>
using AwaitedResult = typename std::invoke_result_t<Fn&, PostgresAsyncConnector&>::value_type;

// Ends a scope as its function left it.
template <class R>
boost::asio::awaitable<R> end_scope(PostgresAsyncConnector& tx, R result) {
  if (!result) {
    // What went wrong first is what matters.
    static_cast<void>(co_await tx.async_rollback(boost::asio::use_awaitable));
    co_return result;
  }
  auto committed = co_await tx.async_commit(boost::asio::use_awaitable);
  if (!committed)
    co_return committed.error();
  co_return result;
}

// The options are copied: a coroutine's references may not outlive its first suspension.
template <class Fn>
std::invoke_result_t<Fn&> retry_loop(Fn fn, sdk::RetryOptions options) {
  sdk::detail::RetryLoop loop{options};
  boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
  while (true) {
    auto result = co_await fn();
    if (result)
      co_return result;
    const auto wait = loop.next(result.error());
    if (!wait)
      co_return result.error().with_attempts(loop.attempts());
    timer.expires_after(*wait);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace detail

/// Runs `fn(tx)`, which gives an awaitable of a Result, in a transaction of its own: committed
/// where it holds a value, rolled back on any other exit. Exceptions pass through.
template <class Fn>
boost::asio::awaitable<detail::AwaitedResult<Fn>>
with_transaction(PostgresAsyncConnector& database, Fn fn, BeginOptions options = {}) {
  using R = detail::AwaitedResult<Fn>;
  auto tx = database.session();
  auto begun = co_await tx.async_begin(options, boost::asio::use_awaitable);
  if (!begun)
    co_return R{begun.error()};
  std::exception_ptr thrown;
  try {
    co_return co_await detail::end_scope<R>(tx, co_await fn(tx));
  } catch (...) {
    thrown = std::current_exception();
  }
  static_cast<void>(co_await tx.async_rollback(boost::asio::use_awaitable));
  std::rethrow_exception(thrown);
}

/// Calls `fn`, which gives an awaitable of a Result, until it gives no error that may be tried
/// again, or the attempts are used up. `options.wait` is not used.
template <class Fn>
auto async_retry(Fn fn, const sdk::RetryOptions& options = {}) -> std::invoke_result_t<Fn&> {
  return detail::retry_loop(std::move(fn), options);
}

/// `with_transaction`, the whole of it again after a conflict (40001, 40P01) and where the
/// connection was lost before the commit. `fn` may run several times.
template <class Fn>
boost::asio::awaitable<detail::AwaitedResult<Fn>>
retry_transaction(PostgresAsyncConnector& database, Fn fn, BeginOptions options = {}) {
  co_return co_await async_retry(
    [&database, &fn, options] { return with_transaction(database, fn, options); });
}

/// The same within a transaction: a savepoint.
template <class Fn>
boost::asio::awaitable<detail::AwaitedResult<Fn>> with_savepoint(PostgresAsyncConnector& tx,
                                                                 std::string name, Fn fn) {
  using R = detail::AwaitedResult<Fn>;
  const auto quoted = sdk::sql::quote_identifier(name);
  const auto run = [&](const char* verb) {
    return tx.async_execute(verb + quoted, boost::asio::use_awaitable);
  };
  if (auto set = co_await run("SAVEPOINT "); !set)
    co_return R{set.error()};
  std::exception_ptr thrown;
  try {
    R result = co_await fn(tx);
    if (!result)
      static_cast<void>(co_await run("ROLLBACK TO SAVEPOINT "));
    if (auto released = co_await run("RELEASE SAVEPOINT "); !released && result)
      co_return R{released.error()};
    co_return result;
  } catch (...) {
    thrown = std::current_exception();
  }
  static_cast<void>(co_await run("ROLLBACK TO SAVEPOINT "));
  std::rethrow_exception(thrown);
}

}  // namespace millrace::postgres
