#include "actors/restart_policy.hpp"

namespace millrace::actors {

std::optional<std::chrono::nanoseconds> RestartPolicy::on_death(sdk::Instant now, Jitter& jitter) {
  while (!deaths_.empty() && now - deaths_.front() > settings_.window)
    deaths_.pop_front();
  deaths_.push_back(now);
  if (deaths_.size() > settings_.restarts)
    return std::nullopt;
  return sdk::Backoff{settings_.base, settings_.cap}.wait(
    static_cast<std::uint32_t>(deaths_.size()), jitter);
}

}  // namespace millrace::actors
