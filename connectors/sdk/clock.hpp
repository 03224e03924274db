// Clock: the only way to ask for the time, so that tests script it.
#pragma once

#include <chrono>

namespace millrace::sdk {

using Instant = std::chrono::steady_clock::time_point;   // for waits, deadlines and rates
using WallTime = std::chrono::system_clock::time_point;  // for what people and databases read

/// Thread-safe.
class Clock {
public:
  virtual ~Clock() = default;
  virtual Instant now() const noexcept = 0;
  virtual WallTime wall() const noexcept = 0;
};

const Clock& system_clock() noexcept;

}  // namespace millrace::sdk
