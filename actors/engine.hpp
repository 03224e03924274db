// Engine: runs a Program. The only thing that runtime/ sees of the actors.
//
//   Engine engine{options, services};
//   if (auto started = engine.start(std::move(program)); !started) return report(started.error());
//   engine.wait();                       // until every source has ended, or `stop`
//   return engine.summary().all_settled ? 0 : 75;
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"
#include "dsl/program.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::actors {

struct EngineOptions {
  std::size_t threads = 0;  // of the scheduler; 0: max(2, cores)
  bool stealing = false;    // the other scheduler policy of CAF; see docs/decisions
  std::size_t max_throughput = 50;
  std::size_t credit_records = 4096;  // open per source
  std::size_t credit_bytes = 16 * 1024 * 1024;
  std::size_t batch_records = 512;          // most records an intake is cut into per hop
  bool once = false;                        // sources end when the present input is used up
  std::uint64_t seed = 0;                   // of backoff jitter; 0: random
  std::uint32_t restarts = 3;               // restart intensity of a pipeline:
  std::chrono::seconds restart_window{60};  // so many in this time, then it fails
  // With `once`: how long something that cannot be reached is tried again before the run fails.
  std::chrono::milliseconds once_patience{30'000};
};

/// What the engine uses of the world; all must outlive it.
struct EngineServices {
  sdk::Reactor* reactor = nullptr;
  sdk::Log* log = nullptr;
  const sdk::Clock* clock = nullptr;
};

enum class PipelineState : std::uint8_t {
  starting,
  running,
  recovering,
  draining,
  finished,
  failed
};

std::string_view to_string(PipelineState state) noexcept;

struct PipelineStatus {
  std::string name;
  PipelineState state = PipelineState::starting;
  std::uint64_t read = 0;  // records taken in
  std::uint64_t delivered = 0;
  std::uint64_t filtered = 0;
  std::uint64_t skipped = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t failed = 0;
  std::uint64_t open = 0;  // taken in, not yet settled
  std::uint64_t restarts = 0;
  std::optional<sdk::Error> error;  // why it failed
  std::string failed_step;
};

struct EngineSummary {
  bool all_settled = false;  // nothing was left open, no pipeline failed
  std::vector<PipelineStatus> pipelines;
};

class Engine {
public:
  Engine(EngineOptions options, EngineServices services);
  ~Engine();  // kills what still runs
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Opens the pools, runs each server's `init`, then starts the pipelines. To be called once.
  sdk::Status start(std::shared_ptr<const dsl::Program> program);

  /// Blocks until all pipelines are finished or failed. @returns at once where they are.
  void wait();

  /// As `wait`, for at most so long. @returns whether they are finished.
  bool wait_for(std::chrono::milliseconds limit);

  /// Stops the intake and lets open work finish within `deadline`; what is left then is given up.
  /// Returns at once; from any thread. While `start` still waits for a database it ends that, with
  /// an error of kind `cancelled`.
  void stop(std::chrono::milliseconds deadline);

  /// Figures as of now; cheap, from any thread.
  std::vector<PipelineStatus> status() const;

  EngineSummary summary() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::actors
