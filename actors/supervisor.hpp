// The actor at the root: spawns the pipelines and monitors them. It ends after the last of them.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/pipeline/protocol.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace millrace::actors {

/// One more pipeline.
struct StartPipeline {
  std::shared_ptr<PipelineShared> shared;
};

/// The end of the last pipeline is not the end of all: others are about to start. Counted.
struct HoldOn {
  bool hold = false;
};

/// Are you there?
struct Knock {
  std::function<void()> answer;
};

class SupervisorState {
public:
  static inline const char* name = "supervisor";

  explicit SupervisorState(caf::event_based_actor* self) : self_{self} {}

  SupervisorState(const SupervisorState&) = delete;
  SupervisorState& operator=(const SupervisorState&) = delete;
  ~SupervisorState();

  caf::behavior start(const std::vector<std::shared_ptr<PipelineShared>>& pipelines,
                      std::function<void()> all_ended);

private:
  struct Pipeline {
    std::shared_ptr<PipelineShared> shared;
    caf::actor actor;
  };

  void add(const std::shared_ptr<PipelineShared>& shared);
  void on_down(const caf::down_msg& down);
  void end_if_done();

  caf::event_based_actor* self_;
  std::vector<Pipeline> pipelines_;
  std::function<void()> all_ended_;
  std::optional<StopPipeline> stopping_;
  int holds_ = 0;
};

/// Passes StopPipeline on to all pipelines. @param all_ended called once, in this actor's turn.
caf::behavior supervisor(caf::stateful_actor<SupervisorState>* self,
                         const std::vector<std::shared_ptr<PipelineShared>>& pipelines,
                         const std::function<void()>& all_ended);

}  // namespace millrace::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::StartPipeline)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::HoldOn)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Knock)
