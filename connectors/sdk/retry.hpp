// retry: runs any callable again while trying again can help and does no harm.
//
//   auto stock = retry([&] { return read_stock(db); });                  // attempts: environment,
//   3 auto order = retry([&] { return place_order(db); }, {.attempts = 5});
#pragma once

#include "connectors/sdk/database_error.hpp"
#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/result.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace millrace::sdk {

struct RetryOptions {
  std::optional<std::uint32_t>
    attempts{};  // in total; none: DatabaseRetry::default_attempts, asked when it is called
  std::chrono::milliseconds conflict_base{20};
  std::chrono::milliseconds connection_base{100};
  std::chrono::milliseconds cap{2'000};
  std::function<void(std::chrono::milliseconds)> wait{};                    // none: sleeps
  std::function<void(const Error&, std::uint32_t attempt)> before_retry{};  // to log or count it
};

/// Whether the error says that nothing happened and the next try may work: a conflict, or a
/// connection that could not be made or was lost before anything had been sent.
bool may_retry(const Error& error) noexcept;

namespace detail {

class RetryLoop {
public:
  explicit RetryLoop(const RetryOptions& options);

  /// How long to wait for the next attempt; none: there is none.
  std::optional<std::chrono::milliseconds> next(const Error& error);

  /// The same, and waits.
  bool again(const Error& error);

  std::uint32_t attempts() const noexcept { return attempt_; }

private:
  const RetryOptions& options_;
  std::uint32_t limit_;
  std::uint32_t attempt_ = 1;
};

template <class T>
inline constexpr bool is_result = false;

template <class T>
inline constexpr bool is_result<Result<T>> = true;

}  // namespace detail

/// Calls `fn` until it gives no error that `may_retry`, or the attempts are used up. Errors are
/// those of a Result that it returns, and a DatabaseError that it throws, nested or not.
/// @returns what `fn` gave last, an error with its count of attempts; rethrows what it threw last.
template <class Fn>
auto retry(Fn&& fn, const RetryOptions& options = {}) -> std::invoke_result_t<Fn&> {
  using Returned = std::invoke_result_t<Fn&>;
  detail::RetryLoop loop{options};
  while (true) {
    try {
      if constexpr (detail::is_result<Returned>) {
        auto result = fn();
        if (result)
          return result;
        if (!loop.again(result.error()))
          return result.error().with_attempts(loop.attempts());
      } else {
        return fn();
      }
    } catch (const std::exception& exception) {
      const auto* error = find_database_error(exception);
      if (error == nullptr || !loop.again(*error))
        throw;
    }
  }
}

}  // namespace millrace::sdk
