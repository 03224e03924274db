// The actor of one pipeline: spawns its steps and its source, monitors them, makes dead ones anew
// with backoff, and ends when everything has settled and every step has finished.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/layout.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/pipeline/protocol.hpp"
#include "actors/pipeline/source_memory.hpp"
#include "actors/restart_policy.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::actors {

class PipelineActorState {
public:
  static inline const char* name = "pipeline";

  explicit PipelineActorState(caf::event_based_actor* self) : self_{self} {}

  PipelineActorState(const PipelineActorState&) = delete;
  PipelineActorState& operator=(const PipelineActorState&) = delete;
  ~PipelineActorState();

  caf::behavior start(std::shared_ptr<PipelineShared> shared);

private:
  struct Child {
    std::shared_ptr<const StepNode> node;
    std::size_t replica = 0;
    caf::actor actor;
    std::uint64_t epoch = 0;
    bool started = false;
    bool finishing = false;  // was told to
    bool finished = false;
    bool answered = false;              // the ping of this round
    std::optional<sdk::Error> refusal;  // why it did not start
    std::uint32_t refusals = 0;
  };

  caf::behavior behavior();
  void spawn_child(std::size_t index);
  void spawn_source();
  void on_down(const caf::down_msg& down);
  void on_child_down(std::size_t index, const caf::error& reason);
  void on_source_down(const caf::error& reason);
  void on_refused(std::size_t index);
  void respawn_source();
  void on_started(const StepStarted& started);
  void on_all_started();
  void on_pong(const Pong& pong);
  void on_finished(const StepFinished& finished);
  void on_drained();
  void on_stop(const StopPipeline& stop);
  void on_pause(bool paused);
  void on_give_up();
  void restart_later(std::size_t index, std::chrono::nanoseconds delay);
  void start_round();
  void finish_if_ready();
  void fail(const sdk::Error& error, const std::string& step);
  void end(PipelineState state);
  void leave_if_alone();
  bool all_started() const;
  Child* find(std::size_t index, std::uint64_t epoch);
  void set_state(PipelineState state);

  caf::event_based_actor* self_;
  std::shared_ptr<PipelineShared> shared_;
  Layout layout_;
  std::vector<Child> children_;
  caf::actor source_;
  std::shared_ptr<SourceMemory> source_memory_;  // none before the first source
  std::optional<RestartPolicy> policy_;
  Jitter jitter_;
  Recovery recovery_;                      // deaths since the source last heard
  std::optional<std::uint64_t> question_;  // the source waits for this answer
  std::uint64_t round_ = 0;                // of pings
  bool drained_ = false;
  bool stopping_ = false;
  bool ending_ = false;
  PipelineState last_ = PipelineState::finished;
};

caf::behavior pipeline_actor(caf::stateful_actor<PipelineActorState>* self,
                             const std::shared_ptr<PipelineShared>& shared);

}  // namespace millrace::actors
