#include "actors/engine.hpp"

#include "actors/engine_impl.hpp"
#include "actors/pipeline/calls.hpp"
#include "actors/pipeline/injected_lane.hpp"
#include "actors/supervisor.hpp"

#include <algorithm>
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

std::vector<StepStatus> read_steps(const PipelineBoard& board) {
  std::vector<StepStatus> steps;
  for (const auto& watch : board.watches())
    steps.push_back({watch->about().step, watch->about().type, watch->in.value(),
                     watch->out.value(), watch->errors.value(), watch->in_flight.load()});
  return steps;
}

PipelineStatus read(const PipelineShared& shared) {
  const auto& board = *shared.board;
  const auto settled = [&board](sdk::Outcome outcome) {
    return board.settled[static_cast<std::size_t>(outcome)].load();
  };
  PipelineStatus status;
  status.name = shared.pipeline->name;
  status.id = shared.id;
  status.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(shared.env.clock->now()
                                                                        - shared.since);
  status.state = board.state;
  status.paused = board.paused;
  status.steps = read_steps(board);
  status.read = board.read;
  status.delivered = settled(sdk::Outcome::delivered);
  status.filtered = settled(sdk::Outcome::filtered);
  status.skipped = settled(sdk::Outcome::skipped);
  status.dead_lettered = settled(sdk::Outcome::dead_lettered);
  status.failed = settled(sdk::Outcome::failed);
  status.open = board.open;
  status.restarts = board.restarts;
  const std::lock_guard lock{board.mutex};
  status.takes_in = board.takes_in;
  status.error = board.error;
  status.failed_step = board.failed_step;
  return status;
}

}  // namespace

SystemConfig::SystemConfig(const EngineOptions& options) {
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

Engine::Impl::Impl(EngineOptions engine_options, EngineServices engine_services)
  : options{engine_options}, services{engine_services}, config{options}, system{config} {
  if (!services.log)
    services.log = &sdk::silent_log();
  if (!services.clock)
    services.clock = &sdk::system_clock();
  if (options.seed == 0)
    options.seed = std::random_device{}() | 1U;
  next_seed = options.seed;
}

PipelinePtr Engine::Impl::make_pipeline(const GenerationPtr& generation,
                                        const dsl::PipelineProgram& pipeline) {
  auto shared = std::make_shared<PipelineShared>();
  shared->program = generation->program;
  shared->generation = generation;
  shared->pipeline = &pipeline;
  shared->options = options;
  shared->errors = errors;
  shared->id = next_id++;
  shared->since = services.clock->now();
  shared->env.program = generation->program.get();
  shared->env.pipeline = &pipeline;
  shared->env.reactor = services.reactor;
  shared->env.log = services.log;
  shared->env.clock = services.clock;
  shared->env.databases = &generation->databases;
  shared->env.calls = &generation->calls;
  shared->env.seed = next_seed++;
  connect_calls(*shared, generation->calls);
  return shared;
}

std::vector<PipelinePtr> Engine::Impl::all() const {
  const std::lock_guard lock{mutex};
  return pipelines;
}

PipelinePtr Engine::Impl::find(std::string_view name) const {
  for (const auto& pipeline : all()) {
    if (pipeline->pipeline->name == name && pipeline->self->get(0))
      return pipeline;
  }
  return nullptr;
}

Engine::Engine(EngineOptions options, EngineServices services)
  : impl_{std::make_unique<Impl>(options, services)} {
}

Engine::~Engine() {
  kill(impl_->root);
  impl_->root = nullptr;
  if (impl_->present)
    close_pools(*impl_->present, nullptr);
  impl_->present.reset();
  impl_->pipelines.clear();
  impl_->system.await_all_actors_done();
}

sdk::Status Engine::start(std::shared_ptr<const dsl::Program> program) {
  auto& impl = *impl_;
  auto generation = std::make_shared<Generation>();
  generation->program = std::move(program);
  if (auto opened = open_pools(impl.system, *generation, nullptr, impl.services, impl.next_seed);
      !opened)
    return opened;
  {
    const std::lock_guard lock{impl.mutex};
    impl.present = generation;
  }
  if (auto done = run_inits(*generation, nullptr, impl.services, impl.options.once, impl.stopping);
      !done)
    return done;
  generation->calls = make_call_ports(*generation->program);
  std::vector<PipelinePtr> pipelines;
  for (const auto& pipeline : generation->program->pipelines)
    pipelines.push_back(impl.make_pipeline(generation, pipeline));
  const std::lock_guard lock{impl.mutex};
  impl.pipelines = pipelines;
  impl.root = impl.system.spawn(
    supervisor, pipelines, std::function<void()>{[ended = impl.ended] { ended->set_ended(); }});
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
  for (const auto& pipeline : impl_->all())
    all.push_back(read(*pipeline));
  return all;
}

bool Engine::pause(std::string_view pipeline, bool paused) {
  const auto found = impl_->find(pipeline);
  const auto actor = found ? found->self->get(0) : nullptr;
  if (!actor)
    return false;
  caf::anon_send(actor, PausePipeline{paused});
  return true;
}

sdk::Status Engine::send(std::string_view pipeline, sdk::Value payload, sdk::Value meta,
                         std::function<void(SentRecord)> done) {
  const auto found = impl_->find(pipeline);
  const auto actor = found ? found->self->get(0) : nullptr;
  if (!actor)
    return sdk::Error{sdk::ErrorKind::failed,
                      "there is no pipeline '" + std::string{pipeline} + "' that runs"};
  if (found->pipeline->source.exactly_once)
    return sdk::Error{sdk::ErrorKind::config,
                      "pipeline '" + std::string{pipeline}
                        + "' delivers exactly once: it takes what its source brings, and no more",
                      {.hint = "write the record to its topic"}};
  const auto& source = found->pipeline->source;
  auto intake = std::make_shared<sdk::Intake>();
  intake->lane = std::make_shared<InjectedLane>(
    [done = std::move(done)](sdk::Outcome outcome, const sdk::Value& error) {
      done({outcome, outcome == sdk::Outcome::failed ? error : sdk::Value{}});
    });
  intake->bytes = payload.heap_bytes();
  auto& record = intake->records.emplace_back();
  record.set(source.output, std::move(payload));
  if (source.meta)
    record.set(*source.meta, std::move(meta));
  caf::anon_send(actor, InjectRecord{std::move(intake)});
  return {};
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
