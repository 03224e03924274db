#include "actors/restart_policy.hpp"

#include <algorithm>

namespace millrace::actors {

std::chrono::nanoseconds full_jitter(std::chrono::nanoseconds base, std::chrono::nanoseconds cap,
                                     std::uint32_t attempt, Jitter& jitter) {
  const std::int64_t limit = std::max<std::int64_t>(cap.count(), 0);
  std::int64_t bound = std::min(std::max<std::int64_t>(base.count(), 0), limit);
  for (std::uint32_t i = 0; i < attempt && bound > 0 && bound < limit; ++i)
    bound = bound > limit / 2 ? limit : bound * 2;
  return std::chrono::nanoseconds{std::uniform_int_distribution<std::int64_t>{0, bound}(jitter)};
}

std::optional<std::chrono::nanoseconds> RestartPolicy::on_death(sdk::Instant now, Jitter& jitter) {
  while (!deaths_.empty() && now - deaths_.front() > settings_.window)
    deaths_.pop_front();
  deaths_.push_back(now);
  if (deaths_.size() > settings_.restarts)
    return std::nullopt;
  return full_jitter(settings_.base, settings_.cap, static_cast<std::uint32_t>(deaths_.size()) - 1,
                     jitter);
}

}  // namespace millrace::actors
