// Partition: one that the group gave us, and how many of its records are under way.
#pragma once

#include "connectors/kafka/handles.hpp"
#include "connectors/sdk/lane.hpp"
#include "connectors/sdk/offset_ledger.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace millrace::kafka {

/// The lane of a partition whose offset stands in a database.
class ClaimedLane final : public sdk::Lane {
public:
  ClaimedLane(std::string name, sdk::Value meta, sdk::OffsetKey key, sdk::OffsetClaim claim)
    : Lane{std::move(name), std::move(meta)}, ledger_{std::move(key), claim} {}

  sdk::OffsetLedger* ledger() const noexcept override { return &ledger_; }

private:
  mutable sdk::OffsetLedger ledger_;
};

/// Held while a transaction with offsets of a member is committed: until then none of its
/// partitions leaves it.
struct GroupGate {
  std::mutex mutex;
  rd_kafka_t* consumer = nullptr;  // null: it has left the group
};

/// The lane of a partition whose offset is committed by a producer.
class TransactionalLane final : public sdk::Lane {
public:
  TransactionalLane(std::string name, sdk::Value meta, sdk::OffsetKey key,
                    std::shared_ptr<GroupGate> gate)
    : Lane{std::move(name), std::move(meta)}, ledger_{std::move(key), {}}, gate_{std::move(gate)} {}

  sdk::OffsetLedger* ledger() const noexcept override { return &ledger_; }

  const std::shared_ptr<GroupGate>& gate() const noexcept { return gate_; }

private:
  mutable sdk::OffsetLedger ledger_;
  std::shared_ptr<GroupGate> gate_;
};

/// Used by the consumer's thread alone.
struct Partition {
  std::string topic;
  std::int32_t number = 0;
  sdk::LanePtr lane;
  QueuePtr queue;
  std::deque<std::uint64_t> open;  // offsets that were handed over and have not settled
  std::int64_t next = -1;          // offset to commit; -1: nothing has settled yet
  std::int64_t stored = -1;        // what librdkafka knows of it
  bool at_end = false;             // everything that is there was read
  bool leaving = false;            // the group takes it back: nothing more is read

  /// Every record up to `position` has settled.
  void settled(std::uint64_t position) {
    while (!open.empty() && open.front() <= position) {
      next = static_cast<std::int64_t>(open.front()) + 1;
      open.pop_front();
    }
  }

  std::size_t room(std::size_t window) const noexcept {
    return open.size() < window ? window - open.size() : 0;
  }
};

}  // namespace millrace::kafka
