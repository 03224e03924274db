// RetryPolicy: what may be done again, and how long to wait first. Pure: it takes the error and the
// phase.
#pragma once

#include "connectors/sdk/backoff.hpp"
#include "connectors/sdk/database.hpp"
#include "connectors/sdk/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace millrace::sdk {

/// What a lost connection did to a statement that was on it.
enum class LossVerdict : std::uint8_t {
  never_happened,  // send it again, as if nothing had been
  repeatable,      // it may have happened; once more does no harm
  unknown,         // it may have happened, and once more might do harm
};

LossVerdict judge_loss(StatementPhase phase, bool server_ended, const Statement& statement);

/// The error of a statement whose outcome nobody can tell.
Error outcome_unknown(const Error& cause);

class RetryPolicy {
public:
  RetryPolicy(const DatabaseRetry& settings, std::uint64_t seed);

  /// @param attempts how often it was tried.
  /// @returns how long to wait before the next try; none: the error is final.
  std::optional<std::chrono::milliseconds> after_error(const Error& error, std::uint32_t attempts);

  /// The same for a statement that was on a connection which broke.
  bool allows_after_loss(LossVerdict verdict, std::uint32_t attempts);

  /// Earns a tenth of a retry, so that retries cannot multiply an outage.
  void succeeded() noexcept;

private:
  static constexpr std::uint32_t full_budget = 1000;  // tenths of a retry

  bool spend() noexcept;

  DatabaseRetry settings_;
  std::uint32_t budget_ = full_budget;
  std::mt19937_64 random_;
};

}  // namespace millrace::sdk
