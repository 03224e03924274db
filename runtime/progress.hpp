// What the progress line of `run --once` says.
#pragma once

#include "actors/engine.hpp"
#include "connectors/sdk/clock.hpp"
#include "dsl/program.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace millrace::runtime {

/// Turns the engine's figures into a line; keeps a few of them for the rate.
class Progress {
public:
  explicit Progress(sdk::Instant start) { samples_.push_back({start, 0}); }

  /// "loyalty: 12,345 records, 6,200/s, 2 errors"; several pipelines are added up.
  std::string line(const std::vector<actors::PipelineStatus>& status, sdk::Instant now);

private:
  struct Sample {
    sdk::Instant at;
    std::uint64_t done;
  };

  std::deque<Sample> samples_;  // of the last two seconds
};

/// Whether a line can be shown: stderr is a terminal, and no step writes to it through stdout.
bool shows_progress(const dsl::Program& program);

/// 1234567 -> "1,234,567".
std::string with_thousands(std::uint64_t number);

}  // namespace millrace::runtime
