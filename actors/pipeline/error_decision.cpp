#include "actors/pipeline/error_decision.hpp"

#include <algorithm>

namespace millrace::actors {

namespace {

constexpr dsl::RetryPolicy default_retry{.attempts = 3};

}  // namespace

ErrorDecision decide(const dsl::ErrorPolicy& policy, const sdk::Error& error, std::uint32_t tries,
                     Jitter& jitter) {
  const dsl::ErrorRule* rule = policy.find(error);
  const dsl::RetryPolicy* retry = nullptr;
  if (rule) {
    retry = rule->retry ? &*rule->retry : nullptr;
  } else if (error.retryable()) {
    retry = &default_retry;
    tries = std::max(tries, error.attempts());
  }
  ErrorDecision decision;
  decision.rule = rule;
  // A record that killed its step must not get another chance to.
  if (retry && tries < retry->attempts && error.kind() != sdk::ErrorKind::crash) {
    decision.retry_after = sdk::Backoff{retry->base, retry->cap}.wait(tries, jitter);
    return decision;
  }
  if (rule)
    decision.then = rule->then;
  return decision;
}

sdk::Value error_value(std::string_view step, const sdk::Error& error) {
  return sdk::Value::object(
    {{"step", sdk::Value{step}},
     {"kind", sdk::Value{sdk::to_string(error.kind())}},
     {"sqlstate", error.code().empty() ? sdk::Value{} : sdk::Value{error.code()}},
     {"message", sdk::Value{error.message()}},
     {"attempts", sdk::Value{error.attempts()}}});
}

}  // namespace millrace::actors
