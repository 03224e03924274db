#include "connectors/sdk/retry.hpp"

#include "connectors/sdk/retry_policy.hpp"

#include <random>
#include <thread>

namespace millrace::sdk {

bool may_retry(const Error& error) noexcept {
  return error.retryable() && !error.outcome_unknown()
         && (error.kind() == ErrorKind::transaction || error.kind() == ErrorKind::connection);
}

namespace detail {

RetryLoop::RetryLoop(const RetryOptions& options)
  : options_{options},
    limit_{options.attempts ? *options.attempts : DatabaseRetry::default_attempts()} {
}

std::optional<std::chrono::milliseconds> RetryLoop::next(const Error& error) {
  if (attempt_ >= limit_ || !may_retry(error))
    return std::nullopt;
  if (options_.before_retry)
    options_.before_retry(error, attempt_);
  thread_local std::mt19937_64 random{std::random_device{}()};
  const auto base = error.kind() == ErrorKind::transaction ? options_.conflict_base
                                                           : options_.connection_base;
  return std::chrono::round<std::chrono::milliseconds>(
    Backoff{base, options_.cap}.wait(attempt_++, random));
}

bool RetryLoop::again(const Error& error) {
  const auto delay = next(error);
  if (!delay)
    return false;
  if (options_.wait)
    options_.wait(*delay);
  else
    std::this_thread::sleep_for(*delay);
  return true;
}

}  // namespace detail

}  // namespace millrace::sdk
