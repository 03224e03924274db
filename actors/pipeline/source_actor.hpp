// The actor of a pipeline's source: runs the connector's Source, keeps what is open, and sends it
// again when it was lost. What it works on outlives it (source_memory.hpp): the next one goes on.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/actor_host.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/pipeline/protocol.hpp"
#include "actors/pipeline/source_memory.hpp"
#include "actors/pipeline/step_core.hpp"
#include "actors/restart_policy.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::actors {

struct SourceArguments {
  std::shared_ptr<PipelineShared> shared;
  std::shared_ptr<SourceMemory> memory;
  Hop first;                         // empty: the pipeline has no steps
  std::vector<Hop> error_branches;   // nested steps of the source's `onError` rules
  std::shared_ptr<Address> address;  // of the source itself: where those return to
  StepWatchPtr watch;
};

class SourceState : public ActorHost {
public:
  static inline const char* name = "source";

  explicit SourceState(caf::event_based_actor* self) : ActorHost{self}, self_{self} {}

  caf::behavior start(SourceArguments arguments, const caf::actor& pipeline);

  // StepHost: of the gate, where records that could not be read meet `onError`
  void forward(sdk::Batch batch, bool counted) override;
  void forward_flush() override;
  bool counts_room() const noexcept override;

private:
  caf::behavior behavior();
  void open_gate();
  void make_core();
  void start_source();
  void on_source_failed(const sdk::Error& error);
  bool gives_up();
  void on_news();
  void take_in();
  void on_whole(const Whole& whole);
  void stop();
  void send();
  void answer_and_advance();
  void tell_pipeline();
  void send_records();
  void update_board();
  void report_drained();

  caf::event_based_actor* self_;
  SourceArguments arguments_;
  caf::actor pipeline_;
  std::optional<StepCore> gate_;
  Jitter jitter_;
  bool stopping_ = false;
  bool drained_ = false;
};

caf::behavior source_actor(caf::stateful_actor<SourceState>* self, const SourceArguments& arguments,
                           const caf::actor& pipeline);

}  // namespace millrace::actors
