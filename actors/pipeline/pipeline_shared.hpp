// What the actors of one pipeline share. Immutable but for what is thread-safe.
#pragma once

#include "actors/engine.hpp"
#include "actors/pipeline/call_ports.hpp"
#include "actors/pipeline/convictions.hpp"
#include "actors/pipeline/hop.hpp"
#include "actors/pipeline/stage.hpp"
#include "actors/pipeline/step_watch.hpp"
#include "actors/recent_errors.hpp"
#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/offset_ledger.hpp"
#include "dsl/program.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace millrace::actors {

/// What a pipeline shows of itself. Thread-safe.
struct PipelineBoard {
  std::atomic<PipelineState> state{PipelineState::starting};
  std::atomic<std::uint64_t> read{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> restarts{0};
  std::array<std::atomic<std::uint64_t>, 6> settled{};  // by sdk::Outcome

  std::atomic<bool> paused{false};

  mutable std::mutex mutex;  // of what follows
  mutable std::condition_variable changed;
  std::optional<sdk::Error> error;
  std::string failed_step;
  std::vector<StepWatchPtr> steps;  // the source first, then in the order of the file
  bool takes_in = false;            // the source has started
  bool ended = false;               // its actor is gone

  void set_takes_in() {
    const std::lock_guard lock{mutex};
    takes_in = true;
    changed.notify_all();
  }

  void set_ended() {
    const std::lock_guard lock{mutex};
    ended = true;
    changed.notify_all();
  }

  /// Until the source has started or the pipeline has ended. @returns false where time is up.
  bool wait_until_it_takes_in(std::chrono::milliseconds limit) const {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, limit, [this] { return takes_in || ended; });
  }

  void wait_until_ended() const {
    std::unique_lock lock{mutex};
    changed.wait(lock, [this] { return ended; });
  }

  std::vector<StepWatchPtr> watches() const {
    const std::lock_guard lock{mutex};
    return steps;
  }
};

struct PipelineShared {
  std::shared_ptr<const dsl::Program> program;  // keeps `pipeline` alive
  std::shared_ptr<const void> generation;       // keeps alive what `env` points to
  std::uint64_t id = 0;                         // unique in its engine; another start is another id
  sdk::Instant since;                           // it was started
  std::shared_ptr<Address> self = std::make_shared<Address>(1);  // its actor, while it lives
  std::shared_ptr<RecentErrors> errors;                          // may be null
  const dsl::PipelineProgram* pipeline = nullptr;
  EngineOptions options;
  StageEnv env;
  sdk::SourceFactory make_source;
  std::shared_ptr<sdk::OffsetStore> offsets;  // of a source with delivery: exactly-once
  std::shared_ptr<CallPort> own_port;         // of a pipeline that others call
  std::vector<std::shared_ptr<CallPort>> called_ports;
  std::shared_ptr<PipelineBoard> board = std::make_shared<PipelineBoard>();
  Convictions convictions;
  bool answers = false;             // of the source; set before the source starts
  sdk::Slot result = sdk::no_slot;  // what answers are made of
  Hop dead_letter;                  // empty: there is none
  // Told of every actor that is spawned for a step; for tests, which kill them. May be empty.
  std::function<void(const std::string& step, const caf::actor& actor)> on_spawn;
};

/// One step in its place: where its records come from is its address, where they go is here.
struct StepNode {
  const dsl::StepProgram* step = nullptr;
  std::shared_ptr<Address> address;
  Hop next;
  std::vector<Hop> branches;  // of the stage, then of `onError` rules that have steps
  std::size_t stage_branches = 0;
  sdk::Outcome end = sdk::Outcome::delivered;  // how records settle where `next` is empty
  bool is_dead_letter = false;
  bool is_limited = false;  // it is nested in a step that has a `timeout`
  StepWatchPtr watch;
};

}  // namespace millrace::actors
