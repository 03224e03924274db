// The actor of one replica of one step: a thin shell around StepCore.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/actor_host.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/pipeline/protocol.hpp"
#include "actors/pipeline/step_core.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace millrace::actors {

struct StepArguments {
  std::shared_ptr<PipelineShared> shared;
  std::shared_ptr<const StepNode> node;
  std::size_t child = 0;
  std::uint64_t epoch = 0;
};

class StepState : public ActorHost {
public:
  static inline const char* name = "step";

  explicit StepState(caf::event_based_actor* self) : ActorHost{self}, self_{self} {}

  /// Makes and starts the stage; tells the pipeline how that went.
  caf::behavior start(StepArguments arguments, const caf::actor& pipeline);

  // StepHost
  void forward(sdk::Batch batch, bool counted) override;
  void forward_flush() override;
  bool counts_room() const noexcept override;

private:
  caf::behavior behavior();
  std::optional<sdk::Error> start_stage();
  void on_delivery(Delivery& delivery);
  void finish();

  caf::event_based_actor* self_;
  StepArguments arguments_;
  caf::actor pipeline_;
  std::uint32_t generation_ = 1;  // of counted records
  std::optional<StepCore> core_;
};

/// Monitored by its pipeline. Ends with an error when its stage threw.
caf::behavior step_actor(caf::stateful_actor<StepState>* self, const StepArguments& arguments,
                         const caf::actor& pipeline);

}  // namespace millrace::actors
