// LogRepeats: keeps an event that happens over and over (a server that is down) from filling the
// log. Of each event so many pass per window; the next one that passes says how many were held
// back.
#pragma once

#include "connectors/sdk/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::runtime {

/// Not thread-safe. Remembers a bounded number of events.
class LogRepeats {
public:
  struct Limits {
    std::uint32_t burst = 10;  // lines of one event per window
    std::chrono::seconds window{10};
    std::size_t events = 1024;  // remembered; beyond, all are forgotten
  };

  LogRepeats() = default;

  explicit LogRepeats(Limits limits) : limits_{limits} {}

  /// @returns nothing where the line must be held back, else how many were since the last one.
  std::optional<std::uint64_t> admit(std::string_view event, sdk::Instant now);

  /// What was held back and never told: events and counts. Forgets them.
  std::vector<std::pair<std::string, std::uint64_t>> take_held_back();

private:
  struct Entry {
    sdk::Instant since;
    std::uint32_t passed = 0;
    std::uint64_t held_back = 0;
  };

  Limits limits_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace millrace::runtime
