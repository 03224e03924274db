// Engine::reload: from one program to the next by difference.
#include "actors/engine_impl.hpp"
#include "actors/pipeline/calls.hpp"
#include "actors/supervisor.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace millrace::actors {

namespace {

using std::chrono::milliseconds;

// How long a pipeline that takes over may need before the one before it stops all the same.
constexpr milliseconds takeover{10'000};

using Names = std::set<std::string, std::less<>>;

/// By pipeline, those that it calls or is called by: they share ports, and change together.
std::map<std::string, Names> links_of(const dsl::Program& program) {
  std::map<std::string, Names> links;
  for (const auto& pipeline : program.pipelines) {
    for (const auto& called : called_pipelines(pipeline)) {
      links[pipeline.name].insert(called);
      links[called].insert(pipeline.name);
    }
  }
  return links;
}

void spread(Names& changed, const std::map<std::string, Names>& links) {
  std::vector<std::string> rest{changed.begin(), changed.end()};
  while (!rest.empty()) {
    const auto name = std::move(rest.back());
    rest.pop_back();
    const auto found = links.find(name);
    if (found == links.end())
      continue;
    for (const auto& other : found->second) {
      if (changed.insert(other).second)
        rest.push_back(other);
    }
  }
}

/// What is to become of the pipelines.
struct Difference {
  std::vector<PipelinePtr> kept;
  std::vector<PipelinePtr> first;  // stop before their successors start
  std::vector<PipelinePtr> last;   // stop once their successors take in
  std::vector<const dsl::PipelineProgram*> fresh;
  ReloadReport report;
};

bool lives(const PipelinePtr& pipeline) {
  return pipeline->self->get(0) != nullptr;
}

Difference compare(const std::vector<PipelinePtr>& running, const dsl::Program& before,
                   const dsl::Program& next) {
  std::map<std::string, PipelinePtr, std::less<>> old;
  for (const auto& pipeline : running)
    old[pipeline->pipeline->name] = pipeline;
  Names changed;
  Names wanted;
  for (const auto& pipeline : next.pipelines) {
    wanted.insert(pipeline.name);
    const auto found = old.find(pipeline.name);
    // One that ended or failed is started anew: that is what its owner has waited for.
    if (found == old.end() || !lives(found->second) || pipeline.fingerprint.empty()
        || found->second->pipeline->fingerprint != pipeline.fingerprint)
      changed.insert(pipeline.name);
  }
  for (const auto& [name, pipeline] : old) {
    if (!wanted.contains(name))
      changed.insert(name);
  }
  spread(changed, links_of(before));
  spread(changed, links_of(next));

  Difference difference;
  for (const auto& [name, pipeline] : old) {
    if (!lives(pipeline) || (wanted.contains(name) && !changed.contains(name)))
      continue;
    // Who waits for an answer must not find the door closed; whoever reads must not read twice.
    const auto* operation = pipeline->pipeline->source.operation_info;
    const bool takes_over = wanted.contains(name) && operation && operation->answers;
    // Who is called ends behind those that call it.
    const bool later = takes_over || pipeline->own_port;
    (later ? difference.last : difference.first).push_back(pipeline);
    if (!wanted.contains(name))
      difference.report.stopped.push_back(name);
  }
  for (const auto& pipeline : next.pipelines) {
    if (!changed.contains(pipeline.name)) {
      difference.kept.push_back(old.at(pipeline.name));
      difference.report.kept.push_back(pipeline.name);
      continue;
    }
    difference.fresh.push_back(&pipeline);
    const auto found = old.find(pipeline.name);
    (found != old.end() && lives(found->second) ? difference.report.replaced
                                                : difference.report.started)
      .push_back(pipeline.name);
  }
  return difference;
}

void stop_all(const std::vector<PipelinePtr>& pipelines, milliseconds deadline) {
  for (const auto& pipeline : pipelines) {
    if (const auto actor = pipeline->self->get(0))
      caf::anon_send(actor, StopPipeline{deadline});
  }
  for (const auto& pipeline : pipelines)
    pipeline->board->wait_until_ended();
}

}  // namespace

sdk::Result<ReloadReport> Engine::reload(const std::shared_ptr<const dsl::Program>& program,
                                         milliseconds deadline) {
  auto& impl = *impl_;
  const std::lock_guard one_at_a_time{impl.reloading};
  GenerationPtr before;
  caf::actor root;
  {
    const std::lock_guard lock{impl.mutex};
    before = impl.present;
    root = impl.root;
  }
  if (!root || impl.stopping || impl.ended->wait_for(milliseconds{0}))
    return sdk::Error{sdk::ErrorKind::cancelled,
                      root ? "the process is stopping" : "the pipelines have not started yet"};
  auto generation = std::make_shared<Generation>();
  generation->program = program;
  if (auto opened = open_pools(impl.system, *generation, before.get(), impl.services,
                               impl.next_seed);
      !opened)
    return std::move(opened).error();
  // A new server that is down is a mistake here: what runs must not wait for it.
  if (auto done = run_inits(*generation, before.get(), impl.services, true, impl.stopping); !done) {
    close_pools(*generation, before.get());
    return std::move(done).error();
  }
  generation->calls = make_call_ports(*program);
  auto difference = compare(impl.all(), *before->program, *program);

  caf::anon_send(root, HoldOn{true});
  stop_all(difference.first, deadline);
  std::vector<PipelinePtr> fresh;
  for (const auto* pipeline : difference.fresh)
    fresh.push_back(impl.make_pipeline(generation, *pipeline));
  {
    const std::lock_guard lock{impl.mutex};
    impl.pipelines.clear();
    for (const auto& pipeline : program->pipelines) {
      const auto named = [&](const PipelinePtr& one) {
        return one->pipeline->name == pipeline.name;
      };
      const auto kept = std::ranges::find_if(difference.kept, named);
      impl.pipelines.push_back(kept != difference.kept.end() ? *kept
                                                             : *std::ranges::find_if(fresh, named));
    }
    impl.present = generation;
  }
  for (const auto& pipeline : fresh)
    caf::anon_send(root, StartPipeline{pipeline});
  for (const auto& pipeline : fresh) {
    const bool takes_over = std::ranges::any_of(difference.last, [&](const PipelinePtr& one) {
      return one->pipeline->name == pipeline->pipeline->name;
    });
    if (takes_over)
      static_cast<void>(pipeline->board->wait_until_it_takes_in(takeover));
  }
  stop_all(difference.last, deadline);
  caf::anon_send(root, HoldOn{false});
  close_pools(*before, generation.get());
  return std::move(difference.report);
}

}  // namespace millrace::actors
