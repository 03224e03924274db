// OnceStage: what `delivery: exactly-once` asks of the stage that ends its pipeline, whatever it
// writes to. It takes one batch of a lane at a time and hands it on in runs, each of which is
// written with the offset behind it or not at all. Where a run fails it is tried again with fewer
// records, until the guilty one is alone and meets `onError`. No offset moves past a record that
// has not come to a good end.
#pragma once

#include "actors/pipeline/stage.hpp"
#include "actors/restart_policy.hpp"
#include "connectors/sdk/offset_ledger.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace millrace::actors {

class OnceStage : public Stage {
public:
  OnceStage(const dsl::StepProgram& step, const StageEnv& env);

  StageTraits traits() const noexcept override { return {.holds_lane = true, .retries = false}; }

  sdk::Status start(StageContext& context) override;
  void process(sdk::Batch batch, Ticket ticket) override;

  void on_timer(std::uint64_t token) override { go_on(token); }

protected:
  struct Work {
    sdk::Batch batch;         // what has not come to its end
    std::size_t most = 0;     // records of a run; 0: any number
    std::size_t count = 0;    // of the one under way
    std::uint32_t tries = 0;  // that failed, of the present one
    bool busy = false;        // a run is under way, or a question about one
  };

  /// Writes the first `count` records, and the offset behind them. Exactly one of the following
  /// ends it.
  virtual void run(Ticket ticket) = 0;

  void committed(Ticket ticket);
  void failed(Ticket ticket, const sdk::Error& error);
  /// The first record is guilty by itself: it meets `onError`, and the others wait for how that
  /// ends.
  void fail_first(Ticket ticket, const sdk::Error& error);
  /// Nothing of it happened: the next one has so many records at most.
  void again_with(Ticket ticket, std::size_t most);
  /// The lane is another process's.
  void fence(Ticket ticket, const char* why);
  /// The lane is stale, and comes again.
  void drop(Ticket ticket);
  /// Whatever is left of the ticket, from the present state of its ledger.
  void next(Ticket ticket);

  Work& work(Ticket ticket) { return works_.at(ticket); }

  static sdk::OffsetLedger& ledger(const Work& work) { return *work.batch.lane()->ledger(); }

  /// The offset behind the run.
  static std::int64_t end_of(const Work& work) {
    return static_cast<std::int64_t>(work.batch[work.count - 1].position) + 1;
  }

  StageContext& context() noexcept { return *context_; }

  const dsl::StepProgram& step() const noexcept { return step_; }

  const dsl::PipelineProgram& pipeline() const noexcept { return pipeline_; }

private:
  void drop_stale(std::uint64_t lane);
  void go_on(Ticket ticket);
  bool is_ready(Ticket ticket);
  bool end_first(Ticket ticket, std::size_t count);
  void give_back(Ticket ticket);
  void again_after(Ticket ticket, std::chrono::nanoseconds delay);

  const dsl::StepProgram& step_;
  const dsl::PipelineProgram& pipeline_;
  Jitter jitter_;
  StageContext* context_ = nullptr;
  std::unordered_map<Ticket, Work> works_;
};

}  // namespace millrace::actors
