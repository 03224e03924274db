#include "runtime/log_repeats.hpp"

#include <algorithm>

namespace millrace::runtime {

std::optional<std::uint64_t> LogRepeats::admit(std::string_view event, sdk::Instant now) {
  auto found = entries_.find(std::string{event});
  if (found == entries_.end()) {
    if (entries_.size() >= limits_.events)
      entries_.clear();
    found = entries_.emplace(event, Entry{.since = now}).first;
  }
  Entry& entry = found->second;
  if (now - entry.since >= limits_.window) {
    entry.since = now;
    entry.passed = 0;
  }
  if (entry.passed >= limits_.burst) {
    ++entry.held_back;
    return std::nullopt;
  }
  ++entry.passed;
  return std::exchange(entry.held_back, 0);
}

std::vector<std::pair<std::string, std::uint64_t>> LogRepeats::take_held_back() {
  std::vector<std::pair<std::string, std::uint64_t>> held;
  for (const auto& [event, entry] : entries_) {
    if (entry.held_back > 0)
      held.emplace_back(event, entry.held_back);
  }
  entries_.clear();
  std::ranges::sort(held);
  return held;
}

}  // namespace millrace::runtime
