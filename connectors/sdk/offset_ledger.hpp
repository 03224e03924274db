// Exactly-once delivery: how far a source has come stands beside the data itself, and moves in the
// same transaction. OffsetStore is where it stands; OffsetLedger what is known of one lane.
//
//   context.offsets->claim({"orders-group", "orders", 3}, [](Result<OffsetClaim> claim) { … });
//   auto ledger = std::make_shared<OffsetLedger>(key, *claim);     // Lane::ledger() shows it
#pragma once

#include "connectors/sdk/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::sdk {

/// Whose offset: one row of the store.
struct OffsetKey {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
};

struct OffsetClaim {
  std::int64_t epoch = 0;  // whoever claims later has a higher one, and all earlier ones are fenced
  std::int64_t next = -1;  // the offset to go on with; -1: nothing was ever written
};

/// Thread-safe.
class OffsetStore {
public:
  virtual ~OffsetStore() = default;

  /// Takes the partition over: from now on transactions of earlier claims fail. Waits for one that
  /// is about to commit. `done` is called once, from any thread.
  virtual void claim(OffsetKey key, std::function<void(Result<OffsetClaim>)> done) = 0;
};

/// What is known of a claimed lane. Thread-safe.
class OffsetLedger {
public:
  OffsetLedger(OffsetKey key, OffsetClaim claim);

  const OffsetKey& key() const noexcept { return key_; }

  std::int64_t epoch() const noexcept { return epoch_; }

  /// What the store holds; -1: nothing yet.
  std::int64_t next() const;
  void advance(std::int64_t next);

  /// Somebody else has claimed the lane: nothing of it counts any more.
  void fence();
  bool fenced() const;

  // --- which records have come to a good end, by their sequence in the lane

  void ended(std::uint64_t first, std::uint64_t count);

  /// Whether all of [from, to) have.
  bool all_ended(std::uint64_t from, std::uint64_t to) const;

  /// Calls `resume` once, from any thread, when all before `sequence` have: perhaps at once.
  void when_ended(std::uint64_t sequence, std::function<void()> resume);

private:
  const OffsetKey key_;
  const std::int64_t epoch_;
  mutable std::mutex mutex_;
  std::int64_t next_;
  bool fenced_ = false;
  std::uint64_t base_ = 0;                         // all before it have ended
  std::map<std::uint64_t, std::uint64_t> beyond_;  // [first, end) behind it
  std::vector<std::pair<std::uint64_t, std::function<void()>>> waiting_;
};

}  // namespace millrace::sdk
