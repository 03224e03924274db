// StepCore: what every step's actor does around its stage, without an actor: `when`, places in the
// lane, retry and `onError`, `response`, convicted and stale records, flush, room at the next step.
// It runs in one turn at a time; the StepHost carries out what leaves the step.
#pragma once

#include "actors/pipeline/convictions.hpp"
#include "actors/pipeline/error_decision.hpp"
#include "actors/pipeline/lane_sequencer.hpp"
#include "actors/pipeline/parts.hpp"
#include "actors/pipeline/stage.hpp"
#include "actors/pipeline/step_watch.hpp"
#include "actors/restart_policy.hpp"
#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/clock.hpp"
#include "dsl/program.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace millrace::actors {

/// What a StepCore asks of the actor that it runs in.
class StepHost {
public:
  virtual ~StepHost() = default;

  /// To the next step, or off the pipeline's end. `counted`: report back with StepCore::on_room.
  virtual void forward(sdk::Batch batch, bool counted) = 0;
  virtual void forward_flush() = 0;

  /// Whether the next step reports what leaves it; where nested steps or the pipeline end, nobody
  /// does.
  virtual bool counts_room() const noexcept = 0;

  /// Into nested steps: those of the stage, then those of each `onError` rule that has some.
  virtual void to_branch(std::size_t branch, sdk::Batch batch) = 0;
  virtual void flush_branch(std::size_t branch) = 0;

  /// @returns false where the pipeline has no deadLetter step; the batch is left as it was.
  virtual bool to_dead_letter(sdk::Batch& batch) = 0;

  /// Calls StepCore::on_wake at that time, once; an earlier wish may be forgotten.
  virtual void wake_at(sdk::Instant when) = 0;

  virtual StagePost post() = 0;
};

class StepCore final : public StageContext {
public:
  struct Settings {
    std::string name;
    const dsl::StepProgram* step = nullptr;  // null for the gate behind a source
    const dsl::ErrorPolicy* errors = nullptr;
    std::size_t branches = 0;                  // of the stage; those of `onError` come behind
    bool limited = false;                      // records may carry a TimeMark
    const Convictions* convictions = nullptr;  // may be null
    const sdk::Clock* clock = nullptr;
    sdk::Log* log = nullptr;
    std::uint64_t seed = 1;
    std::size_t room = 4096;  // records that may be on their way to the next step
    StepWatchPtr watch;       // null: nobody looks
  };

  StepCore(Settings settings, StepHost& host);
  ~StepCore() override;

  /// Takes the stage and starts it. To be called once, before all else.
  sdk::Status start(StagePtr stage);

  /// A batch arrived. `left` is called once it has left the step, whatever became of it.
  void on_batch(sdk::Batch batch, std::function<void()> left = {});

  /// As `on_batch`, with records that are known to have failed before (unreadable input).
  void on_failed_batch(sdk::Batch batch, std::vector<sdk::Failure> failures);

  void on_flush();
  void on_return(std::size_t branch, sdk::Batch batch);
  void on_wake();

  /// The next step has taken so many counted records off its hands.
  void on_room(std::size_t records);

  /// The next step was made anew: nothing is on its way to it.
  void reset_room();

  void finish(std::function<void(sdk::Status)> done);

  // StageContext
  void done(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures) override;
  void give(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures) override;
  void emit(sdk::Batch batch) override;
  void send(std::size_t branch, sdk::Batch batch) override;
  std::size_t room() const noexcept override;
  void after(std::chrono::nanoseconds delay, std::uint64_t token) override;
  StagePost post() override;
  const sdk::Clock& clock() const noexcept override;
  sdk::Log& log() const noexcept override;

private:
  using Place = LaneSequencer::Place;

  struct LaneKey {
    std::uint64_t lane;
    std::uint32_t attempt;
    auto operator<=>(const LaneKey&) const = default;
  };

  // One batch on its way through the step.
  struct Work {
    LaneKey lane{};
    sdk::Batch finished;     // what may go on, by rising sequence
    std::uint32_t open = 1;  // tickets, retries and error steps under way; 1 until it has begun
    bool holds = false;      // the lane's next batches wait for it
    sdk::Batch waiting;      // not begun, because an earlier one of the lane holds it
    std::function<void()> left;
    std::uint32_t arrived = 0;  // records, for the watch
    sdk::Instant since;
  };

  struct Call {
    Place place = 0;
    std::uint32_t tries = 1;
  };

  // A record in the nested steps of an `onError` rule.
  struct ErrorRun {
    Place place = 0;
    sdk::Batch record;  // holds the Ack; the record itself is in the nested steps
    sdk::Error error;
    dsl::ErrorAction then = dsl::ErrorAction::by_default;
  };

  using Due = std::function<void()>;

  // What leaves while one lives goes on together at its end.
  class Regroup {
  public:
    explicit Regroup(StepCore& core);
    Regroup(const Regroup&) = delete;
    Regroup& operator=(const Regroup&) = delete;
    ~Regroup();

  private:
    StepCore& core_;
  };

  void add(sdk::Batch batch, std::function<void()> left);
  Place open_work(const sdk::Batch& batch);
  void note_arrival(Place place, std::size_t records);
  void begin(Place place, sdk::Batch batch);
  void convict(Place place, sdk::Batch& batch);
  void test_when(Place place, sdk::Batch& batch);
  void call(Place place, sdk::Batch batch, std::uint32_t tries);
  void respond(sdk::Batch& batch, std::vector<sdk::Failure>& failures);
  static sdk::Batch extract_failed(sdk::Batch& batch, std::vector<sdk::Failure>& failures);
  void take_results(Place place, sdk::Batch batch, std::vector<sdk::Failure> failures,
                    std::uint32_t tries);
  void close_one(Place place);
  void keep(Place place, sdk::Batch batch);
  void hand_on_given(Place place);
  void leave_if_done(Place place);
  void hand_on(std::vector<sdk::Batch> ready);
  void empty_outbox();
  void hold(Place place);
  void release_lane(LaneKey lane);
  sdk::Batch take_waiting(LaneKey lane, Place& first);
  void forward_due_flush();
  void at(sdk::Instant when, Due due);
  void arm();

  // `failures` names every record of `failed`, in order.
  void handle_failures(Place place, sdk::Batch failed, std::vector<sdk::Failure> failures,
                       std::uint32_t tries);
  void act(Place place, sdk::Batch record, const sdk::Error& error, dsl::ErrorAction then);
  void retry(Place place, sdk::Batch batch, std::uint32_t tries, std::chrono::nanoseconds delay);
  void start_error_steps(Place place, sdk::Batch record, const sdk::Error& error,
                         const dsl::ErrorRule& rule);
  void return_from_error_steps(sdk::Batch batch);
  void on_error_parts(const PartsNews& news);
  std::size_t error_branch(const dsl::ErrorRule& wanted) const;
  void flush_error_branches();

  Settings settings_;
  StepHost& host_;
  StagePtr stage_;
  StageTraits traits_;
  Jitter jitter_;
  LaneSequencer sequencer_;
  std::unordered_map<Place, Work> works_;
  std::unordered_map<Ticket, Call> calls_;
  Ticket next_ticket_ = 1;
  std::map<LaneKey, std::uint32_t> held_lanes_;  // works that hold their lane
  std::map<LaneKey, std::deque<Place>> queues_;  // works that wait for it
  // The last thing that came was a flush: what is put out from now on was late for it, and takes
  // one of its own along.
  bool quiet_ = false;
  int in_stage_ = 0;                // calls of `process` under way
  std::size_t ready_ = 0;           // records that are done here and wait for their turn
  int regrouping_ = 0;              // turns under way in which what leaves is gathered:
  std::vector<sdk::Batch> outbox_;  // in the order in which it goes on
  std::deque<Place> flushes_;       // each goes on when all before this place have left
  std::multimap<sdk::Instant, Due> timers_;
  sdk::Instant armed_ = sdk::Instant::max();
  std::size_t on_their_way_ = 0;  // counted records at the next step
  std::unique_ptr<Parts> error_parts_;
  std::unordered_map<std::uint64_t, ErrorRun> error_runs_;
  std::uint64_t next_error_run_ = 1;
};

}  // namespace millrace::actors
