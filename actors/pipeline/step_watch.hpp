// StepWatch: what can be seen of one step from outside: what it counts and how long it takes, its
// errors, and, while somebody taps it, what it puts out. Outlives the step's actors. Thread-safe.
#pragma once

#include "actors/recent_errors.hpp"
#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/metrics.hpp"
#include "connectors/sdk/record.hpp"
#include "dsl/program.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::actors {

/// A record that left a tapped step.
struct TapEntry {
  std::uint64_t number = 0;  // rising; gaps are records that nobody fetched in time
  std::string lane;
  std::string json;  // cut where it is long
};

class StepWatch {
public:
  struct About {
    std::string pipeline;
    std::string step;
    std::string type;
    sdk::Slot shown = sdk::no_slot;  // of the records that leave it
  };

  StepWatch(About about, std::shared_ptr<RecentErrors> recent)
    : about_{std::move(about)}, recent_{std::move(recent)} {}

  const About& about() const noexcept { return about_; }

  sdk::Counter in;       // records that came
  sdk::Counter out;      // records that left it, also those that it made
  sdk::Counter errors;   // records that failed here for good
  sdk::Counter retries;  // tries after the first
  std::atomic<std::int64_t> in_flight{0};
  sdk::Histogram latency{sdk::time_buckets};  // from coming to leaving, of each record

  void failed(const sdk::Error& error, dsl::ErrorAction then);

  bool tapped() const noexcept { return tapped_.load(std::memory_order_relaxed); }

  /// A batch leaves, and somebody taps.
  void see(const sdk::Batch& batch, sdk::Instant now);

  /// What left behind entry `after`. Opens the tap, which closes when nobody has asked for a while.
  std::vector<TapEntry> tap(std::uint64_t after, std::size_t most, sdk::Instant now);

private:
  const About about_;
  const std::shared_ptr<RecentErrors> recent_;  // may be null
  std::atomic<bool> tapped_{false};
  std::mutex mutex_;  // of what follows
  std::deque<TapEntry> seen_;
  std::uint64_t last_ = 0;
  sdk::Instant open_until_;
};

using StepWatchPtr = std::shared_ptr<StepWatch>;

}  // namespace millrace::actors
