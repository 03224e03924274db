// NestedTime: how long the works of one stage may be in its nested steps. One timer serves all that
// are under way, armed for the next that is due.
//
//   time.start(context, work);                            // its parts went into the nested steps
//   auto left = time.stop(work, context.clock().now());   // they came back
//   for (auto work : time.due(context)) …                 // in on_timer: the time of these is up
#pragma once

#include "actors/pipeline/stage.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

class NestedTime {
public:
  using Work = std::uint64_t;

  /// @param limit none: nothing here does anything.
  explicit NestedTime(std::optional<std::chrono::milliseconds> limit) : limit_{limit} {}

  bool limited() const noexcept { return limit_.has_value(); }

  /// The whole time that a work has.
  std::chrono::nanoseconds limit() const noexcept {
    return limit_.value_or(std::chrono::milliseconds{0});
  }

  void start(StageContext& context, Work work) { start(context, work, limit()); }

  /// @param left of its time, where it was in the nested steps before.
  void start(StageContext& context, Work work, std::chrono::nanoseconds left);

  /// @returns what is left of its time.
  std::chrono::nanoseconds stop(Work work, sdk::Instant now);

  /// To be called from Stage::on_timer. What it returns has been stopped.
  std::vector<Work> due(StageContext& context);

  /// Kind `timeout`; whether what was under way happened nobody knows.
  sdk::Error error() const;

private:
  void arm(StageContext& context);

  std::optional<std::chrono::milliseconds> limit_;
  std::set<std::pair<sdk::Instant, Work>> ends_;
  std::unordered_map<Work, sdk::Instant> end_of_;
  sdk::Instant armed_ = sdk::Instant::max();
};

}  // namespace millrace::actors
