// Pacer: how many events of a steady rate are due. Takes `now`, so tests script it.
#pragma once

#include "connectors/sdk/clock.hpp"

#include <cstdint>

namespace millrace::generate {

class Pacer {
public:
  /// The first event is due at `start`.
  Pacer(double per_second, sdk::Instant start) : per_second_{per_second}, start_{start} {}

  /// Events due by `now` that were not taken yet. After a pause no more than one second's worth
  /// (but one at least) is due: time that was missed is not made up for.
  std::uint64_t due(sdk::Instant now);

  void take(std::uint64_t count) noexcept { taken_ += count; }

  /// When the next one is due.
  sdk::Instant next() const;

private:
  double per_second_;
  sdk::Instant start_;
  std::uint64_t taken_ = 0;
};

}  // namespace millrace::generate
