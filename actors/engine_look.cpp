// Engine, the part that shows what goes on inside.
#include "actors/engine_look.hpp"

#include "actors/engine_impl.hpp"
#include "actors/supervisor.hpp"

#include <array>
#include <semaphore>
#include <utility>

namespace millrace::actors {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto patience = 2s;  // a health check takes one at most

/// Answers of many pools, for a thread that waits for them.
class Gathering {
public:
  explicit Gathering(std::vector<ServerStatus> servers) : servers_{std::move(servers)} {}

  void expect() {
    const std::lock_guard lock{mutex_};
    ++open_;
  }

  template <class Change>
  void take(std::size_t index, Change change) {
    const std::lock_guard lock{mutex_};
    change(servers_[index]);
    if (--open_ == 0)
      changed_.notify_all();
  }

  std::vector<ServerStatus> wait() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, patience, [this] { return open_ == 0; });
    return servers_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ServerStatus> servers_;
  std::size_t open_ = 0;
};

void visit_step(sdk::MetricVisitor& visitor, const StepWatch& watch) {
  const std::array labels{sdk::MetricLabel{"pipeline", watch.about().pipeline},
                          sdk::MetricLabel{"step", watch.about().step},
                          sdk::MetricLabel{"type", watch.about().type}};
  visitor.counter("millrace_step_records_in_total", "Records that came to the step", labels,
                  watch.in.value());
  visitor.counter("millrace_step_records_out_total", "Records that left the step for the next one",
                  labels, watch.out.value());
  visitor.counter("millrace_step_errors_total", "Records that failed at the step for good", labels,
                  watch.errors.value());
  visitor.counter("millrace_step_retries_total", "Records tried again at the step", labels,
                  watch.retries.value());
  visitor.gauge("millrace_step_in_flight", "Records inside the step", labels,
                static_cast<double>(watch.in_flight.load()));
  visitor.histogram("millrace_step_seconds", "From a record's coming to the step to its leaving",
                    labels, watch.latency.snapshot());
}

void visit_pipeline(sdk::MetricVisitor& visitor, const PipelineShared& shared) {
  const auto& board = *shared.board;
  const std::array labels{sdk::MetricLabel{"pipeline", shared.pipeline->name}};
  const auto state = board.state.load();
  const auto uptime = std::chrono::duration<double>{shared.env.clock->now() - shared.since};
  visitor.gauge("millrace_pipeline_up", "1 while the pipeline runs", labels,
                state == PipelineState::running ? 1 : 0);
  visitor.gauge("millrace_pipeline_failed", "1 once the pipeline has failed for good", labels,
                state == PipelineState::failed ? 1 : 0);
  visitor.gauge("millrace_pipeline_paused", "1 while its intake is paused", labels,
                board.paused ? 1 : 0);
  visitor.gauge("millrace_pipeline_uptime_seconds", "Since its start", labels, uptime.count());
  visitor.counter("millrace_pipeline_records_total", "Records taken in", labels, board.read.load());
  visitor.gauge("millrace_pipeline_open_records", "Records taken in and not settled", labels,
                static_cast<double>(board.open.load()));
  visitor.counter("millrace_pipeline_restarts_total", "Steps and sources started again", labels,
                  board.restarts.load());
  for (std::size_t i = 0; i < static_cast<std::size_t>(sdk::Outcome::lost); ++i) {
    const std::array by_outcome{
      labels[0], sdk::MetricLabel{"outcome", to_string(static_cast<sdk::Outcome>(i))}};
    visitor.counter("millrace_pipeline_settled_total", "Records settled, by outcome", by_outcome,
                    board.settled[i].load());
  }
  for (const auto& watch : board.watches())
    visit_step(visitor, *watch);
}

}  // namespace

std::vector<ServerStatus> Engine::servers(bool ask_health) const {
  GenerationPtr present;
  {
    const std::lock_guard lock{impl_->mutex};
    present = impl_->present;
  }
  if (!present)
    return {};
  std::vector<ServerStatus> servers;
  for (const auto& server : present->program->servers)
    servers.push_back({server.name, server.protocol, server.driver, std::nullopt, std::nullopt});
  const auto gathering = std::make_shared<Gathering>(std::move(servers));
  for (std::size_t i = 0; i < present->pools.size(); ++i) {
    const auto& pool = present->pools[i];
    if (!pool)
      continue;
    gathering->expect();
    pool.pool_info([gathering, i](PoolInfo info) {
      gathering->take(i, [&](ServerStatus& server) { server.pool = std::move(info); });
    });
    if (!ask_health)
      continue;
    gathering->expect();
    pool.health([gathering, i](HealthReport report) {
      gathering->take(i, [&](ServerStatus& server) { server.health = std::move(report); });
    });
  }
  return gathering->wait();
}

bool Engine::responds(milliseconds limit) const {
  caf::actor root;
  {
    const std::lock_guard lock{impl_->mutex};
    root = impl_->root;
  }
  const auto answers = std::make_shared<std::counting_semaphore<>>(0);
  const auto answer = [answers] { answers->release(); };
  int asked = 0;
  // While it still waits for a database, and once all has ended, there is nobody to ask.
  if (root && !impl_->ended->wait_for(0ms)) {
    caf::anon_send(root, Knock{answer});
    ++asked;
  }
  for (std::size_t i = 0; impl_->services.reactor && i < impl_->services.reactor->loop_count();
       ++i, ++asked)
    impl_->services.reactor->loop().post(answer);
  const auto until = std::chrono::steady_clock::now() + limit;
  for (int i = 0; i < asked; ++i) {
    if (!answers->try_acquire_until(until))
      return impl_->ended->wait_for(0ms);
  }
  return true;
}

void Engine::visit(sdk::MetricVisitor& visitor) const {
  for (const auto& pipeline : impl_->all())
    visit_pipeline(visitor, *pipeline);
  GenerationPtr present;
  {
    const std::lock_guard lock{impl_->mutex};
    present = impl_->present;
  }
  if (!present)
    return;
  for (const auto& pool : present->pools) {
    if (pool)
      pool.metrics()->visit(visitor);
  }
}

std::vector<RecentError> Engine::errors() const {
  return impl_->errors->all();
}

std::optional<std::vector<TapEntry>> Engine::tap(std::string_view pipeline, std::string_view step,
                                                 std::uint64_t after, std::size_t most) const {
  const auto found = impl_->find(pipeline);
  if (!found)
    return std::nullopt;
  for (const auto& watch : found->board->watches()) {
    if (watch->about().step == step)
      return watch->tap(after, most, impl_->services.clock->now());
  }
  return std::nullopt;
}

}  // namespace millrace::actors
