// The actor of one replica of one step: a thin shell around StepCore.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/inbox.hpp"
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

class StepState : public StepHost {
public:
  static inline const char* name = "step";

  explicit StepState(caf::event_based_actor* self) : self_{self} {}

  StepState(const StepState&) = delete;
  StepState& operator=(const StepState&) = delete;
  ~StepState() override;

  /// Makes and starts the stage; tells the pipeline how that went.
  caf::behavior start(StepArguments arguments, const caf::actor& pipeline);

  // StepHost
  void forward(sdk::Batch batch, bool counted) override;
  void forward_flush() override;
  bool counts_room() const noexcept override;
  void to_branch(std::size_t branch, sdk::Batch batch) override;
  void flush_branch(std::size_t branch) override;
  bool to_dead_letter(sdk::Batch& batch) override;
  void wake_at(sdk::Instant when) override;
  StagePost post() override;

private:
  caf::behavior behavior();
  std::optional<sdk::Error> start_stage();
  void on_delivery(Delivery& delivery);
  void finish();

  caf::event_based_actor* self_;
  StepArguments arguments_;
  caf::actor pipeline_;
  std::shared_ptr<Inbox> inbox_;
  std::uint32_t generation_ = 1;  // of counted records
  std::optional<StepCore> core_;
};

/// Monitored by its pipeline. Ends with an error when its stage threw.
caf::behavior step_actor(caf::stateful_actor<StepState>* self, const StepArguments& arguments,
                         const caf::actor& pipeline);

}  // namespace millrace::actors
