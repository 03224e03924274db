// TimerSource: a record per tick, on a thread of its own. Every tick is a lane of its own, so a
// slow one holds up no other.
#pragma once

#include "connectors/sdk/source.hpp"
#include "connectors/timer/config.hpp"
#include "connectors/timer/ticks.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace millrace::timer {

class TimerSource final : public sdk::Source {
public:
  explicit TimerSource(std::shared_ptr<const TimerConfig> config) : config_{std::move(config)} {}

  ~TimerSource() override;

  sdk::Status start(const sdk::SourceContext& context) override;
  void stop() override;

private:
  void run();
  bool emit(const Tick& tick);
  bool wait(std::optional<std::chrono::nanoseconds> longest);

  std::shared_ptr<const TimerConfig> config_;
  sdk::SourceContext context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

/// ISO 8601 in UTC with milliseconds.
std::string iso_time(sdk::WallTime time);

}  // namespace millrace::timer
