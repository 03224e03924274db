// Engine: runs a Program. The only thing that runtime/ sees of the actors.
//
//   Engine engine{options, services};
//   if (auto started = engine.start(std::move(program)); !started) return report(started.error());
//   engine.wait();                       // until every source has ended, or `stop`
//   return engine.summary().all_settled ? 0 : 75;
#pragma once

#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/metrics.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"
#include "dsl/program.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
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

struct StepStatus {
  std::string name;
  std::string type;
  std::uint64_t in = 0;  // records that came, and that left
  std::uint64_t out = 0;
  std::uint64_t errors = 0;
  std::int64_t in_flight = 0;
};

struct PipelineStatus {
  std::string name;
  std::uint64_t id = 0;  // of this start of it
  std::chrono::milliseconds uptime{0};
  bool paused = false;
  bool takes_in = false;          // its source has started
  std::vector<StepStatus> steps;  // the source first
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

struct ServerStatus;  // actors/engine_look.hpp
struct RecentError;   // actors/recent_errors.hpp
struct TapEntry;      // actors/pipeline/step_watch.hpp

/// What a reload did, by pipeline.
struct ReloadReport {
  std::vector<std::string> kept;      // untouched
  std::vector<std::string> replaced;  // another start of what had changed
  std::vector<std::string> started;
  std::vector<std::string> stopped;
};

/// How the way of a record that was sent by hand ended.
struct SentRecord {
  sdk::Outcome outcome = sdk::Outcome::lost;
  sdk::Value error;  // of a failed one: {step, kind, sqlstate, message}
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

  /// Goes over to another program: pipelines that mean the same run on untouched, others are
  /// started, stopped or replaced. A replaced one whose source answers takes in before the one
  /// before it stops; others stop first, so that nobody reads twice. Waits until that is done;
  /// `deadline` is how long each may drain. One at a time, behind `start`.
  /// @returns why nothing was changed.
  sdk::Result<ReloadReport> reload(const std::shared_ptr<const dsl::Program>& program,
                                   std::chrono::milliseconds deadline);

  /// Stops or lets go the intake of a pipeline. @returns false where there is none that runs.
  bool pause(std::string_view pipeline, bool paused);

  /// Hands a record to a pipeline beside its source. `done` is called once, on any thread.
  /// @returns kind `failed` where there is no such pipeline that runs, kind `config` where its
  /// offsets are kept with what it writes (exactly once): `done` is not called then.
  sdk::Status send(std::string_view pipeline, sdk::Value payload, sdk::Value meta,
                   std::function<void(SentRecord)> done);

  /// Figures as of now; cheap, from any thread.
  std::vector<PipelineStatus> status() const;

  EngineSummary summary() const;

  /// Whether its actors and its reactor take their turns: asks both, and waits for `limit` at most.
  bool responds(std::chrono::milliseconds limit) const;

  /// The servers of the program; asks each pool, and with `ask_health` each database, for two
  /// seconds at most. Blocks so long.
  std::vector<ServerStatus> servers(bool ask_health) const;

  /// All counters and histograms: of pipelines, steps and pools.
  void visit(sdk::MetricVisitor& visitor) const;

  /// The last errors of records, the oldest first.
  std::vector<RecentError> errors() const;

  /// What left a step behind entry `after`. The first call opens the tap, and it closes when there
  /// is none for ten seconds. @returns nothing where there is no such step.
  std::optional<std::vector<TapEntry>> tap(std::string_view pipeline, std::string_view step,
                                           std::uint64_t after, std::size_t most) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::actors
