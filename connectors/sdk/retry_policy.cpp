#include "connectors/sdk/retry_policy.hpp"

#include "connectors/sdk/sql/classify.hpp"
#include "connectors/sdk/sql/lexer.hpp"

#include <algorithm>

namespace millrace::sdk {

namespace {

// Statements that commit on their own in the middle: a server that ends them has not undone all of
// it.
bool commits_inside(const Statement& statement) {
  const auto tokens = sql::tokenize(statement.sql);
  if (!tokens)
    return true;
  const auto kind = sql::classify(*tokens).kind;
  return kind != sql::StatementKind::query && kind != sql::StatementKind::update;
}

}  // namespace

LossVerdict judge_loss(StatementPhase phase, bool server_ended, const Statement& statement) {
  if (phase == StatementPhase::queued)
    return LossVerdict::never_happened;
  if (statement.options.read_only || statement.options.idempotent)
    return LossVerdict::repeatable;
  // The server's farewell comes instead of the answer: the statement had not come to its commit.
  if (phase == StatementPhase::written && server_ended && !commits_inside(statement))
    return LossVerdict::never_happened;
  return LossVerdict::unknown;
}

Error outcome_unknown(const Error& cause) {
  Error::Detail detail{.hint = "look whether it happened before you send it again",
                       .code = "08007"};
  detail.outcome_unknown = true;
  return {ErrorKind::connection,
          "the connection was lost before the answer came: " + cause.message(), std::move(detail)};
}

RetryPolicy::RetryPolicy(const DatabaseRetry& settings, std::uint64_t seed)
  : settings_{settings}, random_{seed} {
}

bool RetryPolicy::spend() noexcept {
  if (budget_ < 10)
    return false;
  budget_ -= 10;
  return true;
}

void RetryPolicy::succeeded() noexcept {
  budget_ = std::min(full_budget, budget_ + 1);
}

std::optional<std::chrono::milliseconds> RetryPolicy::after_error(const Error& error,
                                                                  std::uint32_t attempts) {
  // A connection error that comes as an answer (a demoted primary) never ran either.
  const bool conflict = error.kind() == ErrorKind::transaction;
  const bool connection = error.kind() == ErrorKind::connection;
  if (!error.retryable() || error.outcome_unknown() || (!conflict && !connection))
    return std::nullopt;
  if (attempts >= settings_.total_attempts() || !spend())
    return std::nullopt;
  const auto base = conflict ? settings_.conflict_base : settings_.connection_base;
  return std::chrono::round<std::chrono::milliseconds>(
    Backoff{base, settings_.cap}.wait(attempts, random_));
}

bool RetryPolicy::allows_after_loss(LossVerdict verdict, std::uint32_t attempts) {
  if (verdict == LossVerdict::unknown || attempts >= settings_.total_attempts())
    return false;
  return verdict == LossVerdict::never_happened || spend();
}

}  // namespace millrace::sdk
