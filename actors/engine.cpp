#include "actors/engine.hpp"

#include "actors/caf.hpp"
#include "actors/databases.hpp"
#include "actors/pipeline/call_ports.hpp"
#include "actors/pipeline/calls.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/supervisor.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace millrace::actors {

std::string_view to_string(PipelineState state) noexcept {
  switch (state) {
  case PipelineState::starting:
    return "starting";
  case PipelineState::running:
    return "running";
  case PipelineState::recovering:
    return "recovering";
  case PipelineState::draining:
    return "draining";
  case PipelineState::finished:
    return "finished";
  case PipelineState::failed:
    return "failed";
  }
  return "?";
}

namespace {

// Tells the threads outside that all pipelines have ended.
class EndMonitor {
public:
  void set_ended() {
    {
      const std::lock_guard lock{mutex_};
      ended_ = true;
    }
    changed_.notify_all();
  }

  void wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return ended_; });
  }

  bool wait_for(std::chrono::milliseconds limit) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [this] { return ended_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

struct SystemConfig : caf::actor_system_config {
  explicit SystemConfig(const EngineOptions& options) {
    const std::size_t cores = std::max<std::size_t>(2, std::thread::hardware_concurrency());
    configure_scheduler(*this, options.threads > 0 ? options.threads : cores, options.stealing,
                        options.max_throughput);
    // Where stealing is asked for: idle workers look around often enough (measured, see
    // docs/decisions).
    if (options.stealing) {
      set("work-stealing.aggressive-poll-attempts", std::size_t{10});
      set("work-stealing.moderate-poll-attempts", std::size_t{0});
      set("work-stealing.relaxed-sleep-duration", caf::timespan{std::chrono::milliseconds{1}});
    }
  }
};

PipelineStatus read(const PipelineShared& shared) {
  const auto& board = *shared.board;
  const auto settled = [&board](sdk::Outcome outcome) {
    return board.settled[static_cast<std::size_t>(outcome)].load();
  };
  PipelineStatus status;
  status.name = shared.pipeline->name;
  status.state = board.state;
  status.read = board.read;
  status.delivered = settled(sdk::Outcome::delivered);
  status.filtered = settled(sdk::Outcome::filtered);
  status.skipped = settled(sdk::Outcome::skipped);
  status.dead_lettered = settled(sdk::Outcome::dead_lettered);
  status.failed = settled(sdk::Outcome::failed);
  status.open = board.open;
  status.restarts = board.restarts;
  const std::lock_guard lock{board.mutex};
  status.error = board.error;
  status.failed_step = board.failed_step;
  return status;
}

}  // namespace

struct Engine::Impl {
  Impl(EngineOptions engine_options, EngineServices engine_services)
    : options{engine_options}, services{engine_services}, config{options}, system{config} {
    if (!services.log)
      services.log = &sdk::silent_log();
    if (!services.clock)
      services.clock = &sdk::system_clock();
    if (options.seed == 0)
      options.seed = std::random_device{}() | 1U;
  }

  EngineOptions options;
  EngineServices services;
  std::shared_ptr<EndMonitor> ended = std::make_shared<EndMonitor>();
  std::vector<std::shared_ptr<PipelineShared>> pipelines;
  std::vector<DatabaseHandle> databases;
  CallPorts calls;
  SystemConfig config;
  caf::actor_system system;
  std::atomic<bool> stopping{false};
  std::mutex mutex;  // of what follows, while there is more than one thread
  std::optional<std::chrono::milliseconds> stop_within;
  caf::actor root;
};

Engine::Engine(EngineOptions options, EngineServices services)
  : impl_{std::make_unique<Impl>(options, services)} {
}

Engine::~Engine() {
  kill(impl_->root);
  impl_->root = nullptr;
  for (const auto& database : impl_->databases) {
    if (database)
      database.close();
  }
  impl_->databases.clear();
  impl_->system.await_all_actors_done();
}

sdk::Status Engine::start(std::shared_ptr<const dsl::Program> program) {
  auto& impl = *impl_;
  std::uint64_t seed = impl.options.seed;
  if (auto opened = open_databases(impl.system, *program, impl.services, seed, impl.options.once,
                                   impl.stopping, impl.databases);
      !opened)
    return opened;
  impl.calls = make_call_ports(*program);
  for (const auto& pipeline : program->pipelines) {
    auto shared = std::make_shared<PipelineShared>();
    shared->program = program;
    shared->pipeline = &pipeline;
    shared->options = impl.options;
    shared->env.program = program.get();
    shared->env.pipeline = &pipeline;
    shared->env.reactor = impl.services.reactor;
    shared->env.log = impl.services.log;
    shared->env.clock = impl.services.clock;
    shared->env.databases = &impl.databases;
    shared->env.calls = &impl.calls;
    shared->env.seed = seed++;
    connect_calls(*shared, impl.calls);
    impl.pipelines.push_back(std::move(shared));
  }
  const std::lock_guard lock{impl.mutex};
  impl.root = impl.system.spawn(
    supervisor, impl.pipelines,
    std::function<void()>{[ended = impl.ended] { ended->set_ended(); }});
  if (impl.stop_within)
    caf::anon_send(impl.root, StopPipeline{*impl.stop_within});
  return {};
}

void Engine::wait() {
  impl_->ended->wait();
}

bool Engine::wait_for(std::chrono::milliseconds limit) {
  return impl_->ended->wait_for(limit);
}

void Engine::stop(std::chrono::milliseconds deadline) {
  auto& impl = *impl_;
  const std::lock_guard lock{impl.mutex};
  impl.stopping = true;
  if (impl.root)
    caf::anon_send(impl.root, StopPipeline{deadline});
  else
    impl.stop_within = deadline;
}

std::vector<PipelineStatus> Engine::status() const {
  std::vector<PipelineStatus> all;
  all.reserve(impl_->pipelines.size());
  for (const auto& pipeline : impl_->pipelines)
    all.push_back(read(*pipeline));
  return all;
}

EngineSummary Engine::summary() const {
  EngineSummary summary;
  summary.pipelines = status();
  summary.all_settled = std::all_of(
    summary.pipelines.begin(), summary.pipelines.end(), [](const auto& pipeline) {
      return pipeline.state == PipelineState::finished && pipeline.open == 0;
    });
  return summary;
}

}  // namespace millrace::actors
