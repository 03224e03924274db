// Stage: what one step does with the batches that reach its actor. The actor around it does the
// rest, the same for every step: `when`, order within a lane, retry and `onError`, `response`,
// `timeout`, stale batches, end of stream. No CAF here: a stage is tested with a fake StageContext.
//
// How to add one (actors/steps, actors/db):
//   1. Derive from Stage. Keep the StageContext& of `start`; it lives as long as the stage.
//   2. `process(batch, ticket)`: do the work, now or later, and call `context.done(ticket, batch,
//      failures)` exactly once. Results go to each record's output slot. Several tickets may be
//      under way and may come back in any order: the actor hands each lane on in order of arrival.
//   3. A record dropped on purpose: `batch.extract(…)` it and `settle(Outcome::filtered)` the
//      extract. One that failed: name its index (in the batch given back) in `failures`.
//   4. What comes out may be more than came in (foreach): each part with `batch.fork(i)`'s Ack and
//      its parent's `sequence`, all of it under the ticket; `context.give` hands on what is there
//      before the rest. A record that is held back keeps its ticket, so that none of its lane
//      overtakes it. Only what belongs to no ticket (batch) goes to `context.emit`.
//   5. Answers from other threads (database, reactor): keep the batch in the stage under its
//      ticket, and `context.post()([this, …] { … })` runs in the actor's turn. After the actor
//      died the task is dropped unrun, and the batches it held are lost, which is what they should
//      be.
//   6. Waiting: `context.after(delay, token)` calls `on_timer(token)`. Never block, never poll.
//   7. Nested steps: branch i is the i-th list of nested_lists(program). `context.send(i, batch)`
//      with Acks of a Parts (actors/pipeline/parts.hpp); at their end records come to `on_return`.
//   8. Add its case to make_stage (actors/pipeline/make_stage.cpp).
// An exception out of a stage kills the actor; it is made anew, and the records come again.
#pragma once

#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/result.hpp"
#include "dsl/program.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace millrace::sdk {
class Reactor;
}

namespace millrace::actors {

class CallPorts;
class DatabaseHandle;

/// Names a batch given to a stage until the stage gives it back.
using Ticket = std::uint64_t;

/// Runs tasks in the turn of a stage's actor, in order. Thread-safe, cheap to copy.
using StagePost = std::function<void(std::function<void()>)>;

/// What a stage may ask of its actor. Only to be used in the actor's turn.
class StageContext {
public:
  virtual ~StageContext() = default;

  /// Gives back what `process` was given under `ticket`: the records to hand on, and which of them
  /// failed (by rising index). May be called within `process`.
  virtual void done(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures = {}) = 0;

  /// Hands on some of what was made under `ticket`, whose `done` comes later; only for stages that
  /// are `one_by_one` or `holds_lane`. It waits for its turn in the lane. `failures` as in `done`.
  virtual void give(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures = {}) = 0;

  /// Hands on a batch that belongs to no open ticket, behind all that its lane has brought so far.
  virtual void emit(sdk::Batch batch) = 0;

  /// Sends a batch into the nested steps number `branch`.
  virtual void send(std::size_t branch, sdk::Batch batch) = 0;

  /// Records that the next step has room for; only stages that `expand` need to ask. What does not
  /// fit waits for `on_room`.
  virtual std::size_t room() const noexcept = 0;

  /// Calls `on_timer(token)` once `delay` has passed.
  virtual void after(std::chrono::nanoseconds delay, std::uint64_t token) = 0;

  virtual StagePost post() = 0;
  virtual const sdk::Clock& clock() const noexcept = 0;
  virtual sdk::Log& log() const noexcept = 0;
};

/// What the actor needs to know of a stage beforehand.
struct StageTraits {
  bool expands = false;     // may put out more records than it took: asks `room`
  bool one_by_one = false;  // takes records one at a time, and none waits for another of its batch
  bool regroups = false;    // with `one_by_one`: records that leave together travel on together
  bool holds_lane = false;  // takes one batch of a lane at a time; what waits is put together
  bool retries = true;      // false: a failed record is not tried again here (inside a transaction)
};

/// Made anew whenever its actor is (re)started. Called in the actor's turn only.
class Stage {
public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  virtual StageTraits traits() const noexcept { return {}; }

  /// @returns a retryable error where trying again can help: it is made anew with backoff.
  virtual sdk::Status start(StageContext& context) = 0;

  /// Takes a batch, never empty and never stale; gives it back by StageContext::done.
  virtual void process(sdk::Batch batch, Ticket ticket) = 0;

  /// Nothing more may come for a while: put out what you hold back to gather more.
  virtual void on_flush() {}

  /// Records came to the end of the nested steps number `branch`.
  virtual void on_return(std::size_t branch, sdk::Batch batch) {
    static_cast<void>(branch);
    static_cast<void>(batch);
  }

  virtual void on_timer(std::uint64_t token) { static_cast<void>(token); }

  /// The next step has room again.
  virtual void on_room() {}

  /// All records have settled and nothing more will come: make it final. `done` is called once, in
  /// the actor's turn or by `post`.
  virtual void finish(std::function<void(sdk::Status)> done) { done({}); }
};

using StagePtr = std::unique_ptr<Stage>;

/// What stages are made with; outlives them.
struct StageEnv {
  const dsl::Program* program = nullptr;
  const dsl::PipelineProgram* pipeline = nullptr;
  sdk::Reactor* reactor = nullptr;
  sdk::Log* log = nullptr;
  const sdk::Clock* clock = nullptr;
  const std::vector<DatabaseHandle>* databases =
    nullptr;                   // by index in Program::servers; empty handles elsewhere
  CallPorts* calls = nullptr;  // how other pipelines are called
  std::uint64_t seed = 0;      // of jitter; never 0
};

/// @returns an error of kind `config` where this build cannot run such a step.
sdk::Result<StagePtr> make_stage(const dsl::StepProgram& step, const StageEnv& env);

/// The nested step lists of a step, by branch number: switch cases, foreach, parallel branches and
/// transaction blocks in the order in which they are written. (`onError.steps` come behind them and
/// belong to the actor.)
std::vector<const dsl::StepList*> nested_lists(const dsl::StepProgram& step);

}  // namespace millrace::actors
