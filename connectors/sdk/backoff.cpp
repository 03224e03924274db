#include "connectors/sdk/backoff.hpp"

#include <algorithm>

namespace millrace::sdk {

std::chrono::nanoseconds Backoff::ceiling(std::uint32_t attempt) const noexcept {
  const std::int64_t limit = std::max<std::int64_t>(cap_.count(), 0);
  std::int64_t bound = std::clamp<std::int64_t>(base_.count(), 0, limit);
  for (std::uint32_t i = 1; i < attempt && bound > 0 && bound < limit; ++i)
    bound = bound > limit / 2 ? limit : bound * 2;
  return std::chrono::nanoseconds{bound};
}

std::chrono::nanoseconds Backoff::wait(std::uint32_t attempt, std::mt19937_64& random) const {
  return std::chrono::nanoseconds{
    std::uniform_int_distribution<std::int64_t>{0, ceiling(attempt).count()}(random)};
}

}  // namespace millrace::sdk
