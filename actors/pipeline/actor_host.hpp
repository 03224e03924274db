// ActorHost: the part of a StepHost that the actors of steps and of sources share: where records
// leave sideways, timers, and tasks from other threads.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/inbox.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/pipeline/step_core.hpp"

#include <memory>
#include <vector>

namespace millrace::actors {

class ActorHost : public StepHost {
public:
  ActorHost(const ActorHost&) = delete;
  ActorHost& operator=(const ActorHost&) = delete;
  ~ActorHost() override;

  void to_branch(std::size_t branch, sdk::Batch batch) override;
  void flush_branch(std::size_t branch) override;
  bool to_dead_letter(sdk::Batch& batch) override;
  void wake_at(sdk::Instant when) override;
  StagePost post() override;

protected:
  explicit ActorHost(caf::event_based_actor* self) : self_{self} {}

  /// To be called first. @param branches into nested steps; outlives this, as `shared` does.
  void open(const PipelineShared& shared, const std::vector<Hop>& branches, bool is_dead_letter);

  /// Runs the tasks that others posted.
  void run_tasks();

  caf::event_based_actor* self() const noexcept { return self_; }

private:
  caf::event_based_actor* self_;
  const PipelineShared* shared_ = nullptr;
  const std::vector<Hop>* branches_ = nullptr;
  bool is_dead_letter_ = false;
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace millrace::actors
