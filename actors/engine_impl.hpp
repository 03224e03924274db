// The inside of Engine, which its parts share: engine.cpp, reload.cpp, engine_look.cpp.
#pragma once

#include "actors/caf.hpp"
#include "actors/databases.hpp"
#include "actors/engine.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/recent_errors.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace::actors {

/// Tells the threads outside that all pipelines have ended.
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
  explicit SystemConfig(const EngineOptions& options);
};

using PipelinePtr = std::shared_ptr<PipelineShared>;
using GenerationPtr = std::shared_ptr<Generation>;

struct Engine::Impl {
  Impl(EngineOptions engine_options, EngineServices engine_services);

  /// A pipeline of a generation, not yet started.
  PipelinePtr make_pipeline(const GenerationPtr& generation, const dsl::PipelineProgram& pipeline);

  /// Of the present program, ended ones too.
  std::vector<PipelinePtr> all() const;

  /// The one of that name that lives, or null.
  PipelinePtr find(std::string_view name) const;

  EngineOptions options;
  EngineServices services;
  std::shared_ptr<EndMonitor> ended = std::make_shared<EndMonitor>();
  std::shared_ptr<RecentErrors> errors = std::make_shared<RecentErrors>();
  SystemConfig config;
  caf::actor_system system;
  std::atomic<bool> stopping{false};
  std::uint64_t next_id = 1;
  std::uint64_t next_seed = 1;
  std::mutex reloading;                // one at a time
  mutable std::mutex mutex;            // of what follows, while there is more than one thread
  std::vector<PipelinePtr> pipelines;  // in the order of the program
  GenerationPtr present;
  std::optional<std::chrono::milliseconds> stop_within;
  caf::actor root;
};

}  // namespace millrace::actors
