// Source: where records come from. It runs beside the engine (own thread, or the reactor), hands
// batches over while it has credit, and hears how far they have settled.
#pragma once

#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::sdk {

class OffsetStore;
class Reactor;

/// What a source hands over at once: records of one lane, in order.
struct Intake {
  LanePtr lane;
  std::vector<Record>
    records;  // output in SourceContext::output, `position` set; sequences are given later
  std::vector<Failure> failures;  // of those, the ones that could not be read: their output slot
                                  // holds the raw text, and they go where `onError` says
  std::size_t bytes = 0;          // of payload, for the credit
};

/// What a source tells the engine; implemented there. Thread-safe, never blocks (but for
/// `wait_for_credit`).
class SourceEvents {
public:
  virtual ~SourceEvents() = default;

  /// Hands records over; takes their number and bytes off the credit (which may go below nothing by
  /// one intake).
  virtual void emit(Intake intake) = 0;

  /// No more input, now or ever. Nothing may be emitted afterwards.
  virtual void end() = 0;

  /// The source broke. Where the error is retryable it is made anew and started with backoff, else
  /// its pipeline fails. Nothing may be emitted afterwards.
  virtual void fail(Error error) = 0;

  /// Whether there is credit for another intake.
  virtual bool has_credit() const noexcept = 0;

  /// For sources with a thread of their own: waits until there is credit. @returns false when the
  /// source is to stop.
  virtual bool wait_for_credit() = 0;

  /// For sources on the reactor: calls `resume` once, from any thread, as soon as there is credit.
  virtual void when_credit(std::function<void()> resume) = 0;
};

struct SourceContext {
  std::string pipeline;
  std::string name;       // of the step
  Slot output = no_slot;  // where each record's payload goes
  std::optional<Slot>
    meta;  // where `$.meta.<name>` goes, if anybody reads it: lane meta and the record's own
  SourceEvents* events = nullptr;  // outlives the source
  Reactor* reactor = nullptr;
  Log* log = nullptr;
  const Clock* clock = nullptr;
  OffsetStore* offsets = nullptr;  // with delivery: exactly-once: says where each lane begins
  bool once = false;  // --once: end when the present input is used up, even where more may come
};

/// Made anew for each start. `stop` and the destructor are called by the engine, never from within
/// an event.
class Source {
public:
  virtual ~Source() = default;

  /// Starts reading and returns at once.
  /// @returns a retryable error where trying again can help (the engine does, with backoff).
  virtual Status start(const SourceContext& context) = 0;

  /// Every record of `lane` up to `position` (inclusive) has settled.
  virtual void settled(const Lane& lane, std::uint64_t position) {
    static_cast<void>(lane);
    static_cast<void>(position);
  }

  /// Whether it answers each record (HTTP): then it hears of each settlement at once through
  /// `answer`.
  virtual bool answers() const noexcept { return false; }

  virtual void answer(const Lane& lane, std::uint64_t position, Outcome outcome,
                      const Value& answer) {
    static_cast<void>(lane);
    static_cast<void>(position);
    static_cast<void>(outcome);
    static_cast<void>(answer);
  }

  /// All that was emitted has settled, and `end` was said: make it final (marks, offsets). `done`
  /// is called exactly once, from any thread, in bounded time.
  virtual void finish(std::function<void()> done) { done(); }

  /// Stops the intake: `end` must follow soon. May be called twice.
  virtual void stop() = 0;
};

using SourcePtr = std::unique_ptr<Source>;
using SourceFactory = std::function<SourcePtr()>;

}  // namespace millrace::sdk
