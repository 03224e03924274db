// How long to wait before what died is started again, and when to give up. Plain arithmetic over a
// given time and random numbers, so that tests script both.
//
//   RestartPolicy policy{{.restarts = 3, .window = 60s}};
//   if (auto delay = policy.on_death(now, jitter)) restart_after(*delay); else give_up();
#pragma once

#include "connectors/sdk/backoff.hpp"
#include "connectors/sdk/clock.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>

namespace millrace::actors {

using Jitter = std::mt19937_64;

/// Restart intensity: so many restarts within a window, then give up.
class RestartPolicy {
public:
  struct Settings {
    std::uint32_t restarts = 3;
    std::chrono::nanoseconds window = std::chrono::seconds{60};
    std::chrono::nanoseconds base = std::chrono::milliseconds{10};
    std::chrono::nanoseconds cap = std::chrono::seconds{5};
  };

  explicit RestartPolicy(Settings settings) : settings_{settings} {}

  /// Something died at `now`. @returns how long to wait before its restart, or nothing when there
  /// were more than `restarts` deaths within the window.
  std::optional<std::chrono::nanoseconds> on_death(sdk::Instant now, Jitter& jitter);

  /// What died so far did so for a reason that is known now and will not come again.
  void forgive() { deaths_.clear(); }

private:
  Settings settings_;
  std::deque<sdk::Instant> deaths_;
};

}  // namespace millrace::actors
