#include "connectors/http/client/retry_plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace millrace::http {

using std::chrono::milliseconds;

bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE"
         || method == "OPTIONS" || method == "TRACE";
}

std::optional<milliseconds> parse_retry_after(std::string_view text, sdk::WallTime now) {
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  if (const auto [stop, failure] = std::from_chars(text.data(), end, seconds);
      failure == std::errc{} && stop == end && seconds >= 0) {
    constexpr std::int64_t most = 24 * 3600;
    return std::chrono::seconds{std::min(seconds, most)};
  }
  std::tm parts{};
  const std::string date{text};
  const char* rest = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!rest || *rest != '\0')
    return std::nullopt;
  const auto due = std::chrono::system_clock::from_time_t(timegm(&parts));
  return std::max(std::chrono::ceil<milliseconds>(due - now), milliseconds{0});
}

std::optional<milliseconds> RetryPlan::wait(std::uint32_t tries, milliseconds passed,
                                            std::optional<milliseconds> asked) {
  if (tries >= rules_.attempts)
    return std::nullopt;
  const auto doubled = rules_.base * (std::int64_t{1} << std::min(tries - 1, 20U));
  const auto ceiling = std::min(doubled, rules_.cap);
  const milliseconds jitter{
    std::uniform_int_distribution<std::int64_t>{0, ceiling.count()}(random_)};
  const auto next = asked ? std::max(*asked, jitter) : jitter;
  // A try that could not begin in time is none.
  return passed + next < rules_.timeout ? std::optional{next} : std::nullopt;
}

std::optional<milliseconds> RetryPlan::after(CallFailure failure, std::uint32_t tries,
                                             milliseconds passed) {
  const bool again = failure == CallFailure::unreachable
                     || ((failure == CallFailure::broken || failure == CallFailure::timeout)
                         && (idempotent_ || rules_.retry_unsafe));
  return again ? wait(tries, passed, std::nullopt) : std::nullopt;
}

std::optional<milliseconds> RetryPlan::after(const CallReply& reply, std::uint32_t tries,
                                             milliseconds passed, sdk::WallTime now) {
  if (std::ranges::find(rules_.statuses, reply.status) == rules_.statuses.end())
    return std::nullopt;
  // "Too many" and "not now" mean that nothing was done; a gateway does not know.
  const bool undone = reply.status == 429 || reply.status == 503;
  if (!undone && !idempotent_ && !rules_.retry_unsafe)
    return std::nullopt;
  const auto* asked = find_header(reply.headers, "retry-after");
  return wait(tries, passed, asked ? parse_retry_after(*asked, now) : std::nullopt);
}

bool RetryPlan::is_unknown(CallFailure failure) const noexcept {
  const bool sent = failure == CallFailure::broken || failure == CallFailure::timeout
                    || failure == CallFailure::too_long;
  return sent && !idempotent_;
}

}  // namespace millrace::http
