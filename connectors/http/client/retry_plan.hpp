// RetryPlan: whether a call is tried again, and when. Pure: it takes what happened and the time
// that has passed.
#pragma once

#include "connectors/http/client/call.hpp"
#include "connectors/sdk/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace millrace::http {

/// RFC 9110, section 9.2.2: doing it twice is as doing it once.
bool is_idempotent(std::string_view method) noexcept;

/// Seconds, or a date (RFC 9110, section 10.2.3). @returns nothing for anything else.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text,
                                                           sdk::WallTime now);

class RetryPlan {
public:
  RetryPlan(const CallRules& rules, std::string_view method, std::uint64_t seed)
    : rules_{rules}, idempotent_{is_idempotent(method)}, random_{seed} {}

  /// How long to wait before the next try; nothing: it is over.
  /// @param tries so far. @param passed since the first of them.
  std::optional<std::chrono::milliseconds> after(CallFailure failure, std::uint32_t tries,
                                                 std::chrono::milliseconds passed);
  std::optional<std::chrono::milliseconds> after(const CallReply& reply, std::uint32_t tries,
                                                 std::chrono::milliseconds passed,
                                                 sdk::WallTime now);

  /// Whether that failure leaves open whether the call was carried out.
  bool is_unknown(CallFailure failure) const noexcept;

private:
  std::optional<std::chrono::milliseconds> wait(std::uint32_t tries,
                                                std::chrono::milliseconds passed,
                                                std::optional<std::chrono::milliseconds> asked);

  const CallRules& rules_;
  const bool idempotent_;
  std::mt19937_64 random_;
};

}  // namespace millrace::http
