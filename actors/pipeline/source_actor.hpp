// The actor of a pipeline's source: runs the connector's Source, keeps what is open, and sends it
// again when it was lost. It is not made anew (docs/decisions, 0014).
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/inbox.hpp"
#include "actors/pipeline/pipeline_shared.hpp"
#include "actors/pipeline/protocol.hpp"
#include "actors/pipeline/source_core.hpp"
#include "actors/pipeline/source_hub.hpp"
#include "actors/pipeline/step_core.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace millrace::actors {

struct SourceArguments {
  std::shared_ptr<PipelineShared> shared;
  Hop first;                         // empty: the pipeline has no steps
  std::vector<Hop> error_branches;   // nested steps of the source's `onError` rules
  std::shared_ptr<Address> address;  // of the source itself: where those return to
};

class SourceState : public StepHost {
public:
  static inline const char* name = "source";

  explicit SourceState(caf::event_based_actor* self) : self_{self} {}

  SourceState(const SourceState&) = delete;
  SourceState& operator=(const SourceState&) = delete;
  ~SourceState() override;

  caf::behavior start(SourceArguments arguments, const caf::actor& pipeline);

  // StepHost: of the gate, where records that could not be read meet `onError`
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
  void start_source();
  void close_source();
  void on_source_failed(const sdk::Error& error);
  void on_news();
  void on_whole(const Whole& whole);
  void stop();
  void send(SourceCore::Actions actions);
  void answer_and_advance(const SourceCore::Actions& actions);
  void update_board();
  void report_drained();

  caf::event_based_actor* self_;
  SourceArguments arguments_;
  caf::actor pipeline_;
  std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<SourceHub> hub_;
  std::optional<StepCore> gate_;
  std::optional<SourceCore> core_;
  sdk::SourcePtr source_;
  Jitter jitter_;
  bool ended_ = false;
  std::optional<sdk::Error> failed_;  // for good
  bool stopping_ = false;
  bool drained_ = false;
  std::uint32_t failures_ = 0;  // of the source, in a row
  std::uint64_t questions_ = 0;
  Recovery recovery_;  // of answers that came too early
};

caf::behavior source_actor(caf::stateful_actor<SourceState>* self, const SourceArguments& arguments,
                           const caf::actor& pipeline);

}  // namespace millrace::actors
