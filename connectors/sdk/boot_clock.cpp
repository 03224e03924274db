#include "connectors/sdk/boot_clock.hpp"

#include "connectors/sdk/immortal.hpp"

#include <ctime>

namespace millrace::sdk {

namespace {

class BootClock final : public Clock {
public:
  Instant now() const noexcept override {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return Instant{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
  }

  WallTime wall() const noexcept override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& boot_clock() noexcept {
  static const Immortal<BootClock> clock;
  return *clock;
}

}  // namespace millrace::sdk
