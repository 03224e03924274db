// What `onError` says about one failure. Pure: the actor carries it out.
#pragma once

#include "actors/restart_policy.hpp"
#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/value.hpp"
#include "dsl/program.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::actors {

struct ErrorDecision {
  std::optional<std::chrono::nanoseconds> retry_after;  // try it again then; else:
  dsl::ErrorAction then = dsl::ErrorAction::by_default;
  const dsl::ErrorRule* rule = nullptr;  // the one that decided; null: none matched
};

/// @param tries how often this step has tried the record, this time included.
/// Where no rule matches, retryable errors are tried 3 times in all; what others tried already
/// (the database pool, nested steps) counts.
ErrorDecision decide(const dsl::ErrorPolicy& policy, const sdk::Error& error, std::uint32_t tries,
                     Jitter& jitter);

/// `$.error`: {step, kind, sqlstate, message, attempts}.
sdk::Value error_value(std::string_view step, const sdk::Error& error);

}  // namespace millrace::actors
