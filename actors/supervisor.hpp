// The actor at the root: spawns the pipelines and monitors them. It ends after the last of them.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/pipeline/protocol.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace millrace::actors {

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

  void on_down(const caf::down_msg& down);
  void end_if_done();

  caf::event_based_actor* self_;
  std::vector<Pipeline> pipelines_;
  std::function<void()> all_ended_;
};

/// Passes StopPipeline on to all pipelines. @param all_ended called once, in this actor's turn.
caf::behavior supervisor(caf::stateful_actor<SupervisorState>* self,
                         const std::vector<std::shared_ptr<PipelineShared>>& pipelines,
                         const std::function<void()>& all_ended);

}  // namespace millrace::actors
