// Step: what a connector does with batches on their way: write them, send them, ask somebody. A
// step is driven by one actor, which retries, routes failures and keeps the order; the step only
// does the work.
#pragma once

#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace millrace::sdk {

class Reactor;

struct StepContext {
  std::string pipeline;
  std::string name;
  Slot input =
    no_slot;  // the last output before this step: what is written where nothing else is said
  Slot output = no_slot;  // where each record's result goes
  Reactor* reactor = nullptr;
  Log* log = nullptr;
  const Clock* clock = nullptr;
};

/// Called exactly once per batch, from any thread, with the batch and the records that failed, by
/// rising index. The results of the others are in their output slots.
using StepDone = std::function<void(Batch, std::vector<Failure>)>;

/// Made anew whenever its actor is (re)started. Called from one thread at a time.
class Step {
public:
  virtual ~Step() = default;

  /// @returns a retryable error where trying again can help.
  virtual Status start(const StepContext& context) {
    static_cast<void>(context);
    return {};
  }

  /// Takes the batch and gives it back through `done`, at once or later; several may be under way,
  /// and may come back in any order. Must not block.
  virtual void process(Batch batch, StepDone done) = 0;

  /// Everything before has come back and nothing more will come: make it final (flush, rename).
  /// `done` is called exactly once.
  virtual void finish(std::function<void(Status)> done) { done({}); }
};

using StepPtr = std::unique_ptr<Step>;
using StepFactory = std::function<StepPtr()>;

}  // namespace millrace::sdk
