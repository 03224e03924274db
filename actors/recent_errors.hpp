// RecentErrors: the last errors of an engine's records, for people who look. Bounded, thread-safe.
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/value.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::actors {

struct RecentError {
  std::uint64_t number = 0;  // rising
  std::chrono::system_clock::time_point at;
  std::string pipeline;
  std::string step;
  std::string action;  // what became of the record: "dead letter", "skipped", …
  sdk::Error error;
};

class RecentErrors {
public:
  static constexpr std::size_t most = 200;

  void add(std::string pipeline, std::string step, std::string_view action,
           const sdk::Error& error) {
    const std::lock_guard lock{mutex_};
    if (kept_.size() == most)
      kept_.pop_front();
    kept_.push_back({++last_, std::chrono::system_clock::now(), std::move(pipeline),
                     std::move(step), std::string{action}, error});
  }

  /// The oldest first.
  std::vector<RecentError> all() const {
    const std::lock_guard lock{mutex_};
    return {kept_.begin(), kept_.end()};
  }

private:
  mutable std::mutex mutex_;
  std::deque<RecentError> kept_;
  std::uint64_t last_ = 0;
};

}  // namespace millrace::actors
