// Batch: records that travel together, all of one lane, with what they owe their source.
#pragma once

#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/lane.hpp"
#include "connectors/sdk/record.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace millrace::sdk {

/// Record `index` of a batch went wrong.
struct Failure {
  std::uint32_t index = 0;
  Error error;
};

/// Owned by whoever holds it and moved along. Records are in rising sequence. A batch that is
/// destroyed settles what it still owes as `lost`, before its records go.
class Batch {
public:
  Batch() = default;

  Batch(LanePtr lane, std::uint32_t attempt) : lane_{std::move(lane)}, attempt_{attempt} {}

  Batch(Batch&& other) noexcept = default;
  Batch& operator=(Batch&& other) noexcept;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() = default;

  std::size_t size() const noexcept { return records_.size(); }

  bool empty() const noexcept { return records_.empty(); }

  Record& operator[](std::size_t i) noexcept { return records_[i]; }

  const Record& operator[](std::size_t i) const noexcept { return records_[i]; }

  std::vector<Record>& records() noexcept { return records_; }

  const std::vector<Record>& records() const noexcept { return records_; }

  const LanePtr& lane() const noexcept { return lane_; }

  std::uint32_t attempt() const noexcept { return attempt_; }

  /// Whether the lane was rewound since: the batch must be dropped without effects.
  bool stale() const noexcept { return lane_ && lane_->attempt() != attempt_; }

  /// Adds a record with its Ack, which is empty or of one record.
  void add(Record record, Ack ack);

  /// Adds records whose run is `ack` (empty: they owe nothing, as parts of a join do).
  void add(std::vector<Record> records, Ack ack);

  /// Takes the records where `taken` is true into a batch of their own, order and Acks kept.
  Batch extract(const std::vector<bool>& taken);

  /// Takes the first `count` records off.
  Batch split(std::size_t count);

  /// Appends a batch of the same lane and attempt whose records follow ours.
  void append(Batch next);

  /// One batch of both, which are of the same lane and attempt, by rising sequence; where equal,
  /// `a`'s come first.
  static Batch merge(Batch a, Batch b);

  /// Settles all that is owed, and empties the batch.
  void settle(Outcome outcome);

  /// Settles record `index` alone, with an answer for sources that answer; it owes nothing
  /// afterwards, and stays.
  void settle_one(std::size_t index, Outcome outcome, Value answer = {});

  /// One more leaf for record `index`.
  Ack fork(std::size_t index);

  /// Takes record `index` with what it owes; an empty one that owes nothing stays in its place.
  Batch take_one(std::size_t index);

  /// Takes what record `index` owes; it owes nothing afterwards.
  Ack take_ack(std::size_t index);

private:
  struct Run {
    Ack ack;              // empty: these records owe nothing
    std::uint32_t count;  // records covered, in order
  };

  // The run of record `index` alone.
  Run& single_run(std::size_t index);
  static void add_run(std::vector<Run>& runs, Ack ack, std::uint32_t count);

  LanePtr lane_;
  std::uint32_t attempt_ = 0;
  std::vector<Record> records_;
  std::vector<Run> runs_;  // declared last: Acks settle before the records go
};

}  // namespace millrace::sdk
