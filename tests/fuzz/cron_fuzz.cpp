// Any text as a cron schedule: what is accepted falls due, always later, and in whole seconds that
// fit.
#include "connectors/timer/cron.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono;      // NOLINT(google-build-using-namespace)
  using namespace millrace::timer;  // NOLINT(google-build-using-namespace)
  static const auto zone = TimeZone::find("Europe/Rome");
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto schedule = CronSchedule::parse(text);
  if (!schedule || !zone)
    return 0;
  millrace::sdk::WallTime at = sys_days{2026y / 3 / 28};
  for (int i = 0; i < 8; ++i) {
    const auto next = schedule->next(at, *zone);
    if (!next || *next <= at)
      std::abort();
    at = *next;
  }
  return 0;
}
