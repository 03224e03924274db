#include "connectors/sdk/clock.hpp"

#include "connectors/sdk/immortal.hpp"

namespace millrace::sdk {

namespace {

class SystemClock final : public Clock {
public:
  Instant now() const noexcept override { return std::chrono::steady_clock::now(); }

  WallTime wall() const noexcept override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& system_clock() noexcept {
  static const Immortal<SystemClock> clock;
  return *clock;
}

}  // namespace millrace::sdk
