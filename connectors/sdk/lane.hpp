// Lane: the unit of order. Records of one lane (a partition, a file, one HTTP request) are handed
// on in the order in which they came; different lanes do not wait for each other.
#pragma once

#include "connectors/sdk/value.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace millrace::sdk {

class OffsetLedger;

/// Made by the source and shared by everything that travels on the lane. Thread-safe.
class Lane {
public:
  /// @param name for people: "in/a.jsonl", "orders/3"; need not be unique.
  /// @param meta what `$.meta.<source>` says for each of its records (path, topic, partition); an
  /// object or null.
  explicit Lane(std::string name, Value meta = {});
  virtual ~Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  const std::string& name() const noexcept { return name_; }

  const Value& meta() const noexcept { return meta_; }

  /// Unique in this process; replicas of a step are chosen by it.
  std::uint64_t id() const noexcept { return id_; }

  /// How often the lane was rewound. What travels with an older attempt is stale: it is dropped
  /// before it has effects, and its settlements are ignored.
  std::uint32_t attempt() const noexcept { return attempt_.load(std::memory_order_acquire); }

  /// Moves on from attempt `from`; @returns false where somebody already did.
  bool raise_attempt(std::uint32_t from) noexcept;

  /// Of a lane that is one request: what becomes of the request's transaction though no step
  /// failed.
  enum class Verdict : std::uint8_t {
    keep,
    undo,       // the request is answered an error
    abandoned,  // nobody waits for the answer any more
  };

  virtual Verdict verdict() const noexcept { return Verdict::keep; }

  /// What the steps of a transaction have made of the request is undone, and they run again.
  virtual void begin_again() noexcept {}

  /// Of a lane whose offset is kept beside the data (delivery: exactly-once); else null.
  virtual OffsetLedger* ledger() const noexcept { return nullptr; }

private:
  std::string name_;
  Value meta_;
  std::uint64_t id_;
  std::atomic<std::uint32_t> attempt_{0};
};

using LanePtr = std::shared_ptr<Lane>;

}  // namespace millrace::sdk
