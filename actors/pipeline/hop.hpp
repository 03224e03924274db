// Address and Hop: where batches go. The address of a step outlives its actors: the pipeline puts
// the new ones in, and everybody who sends there reaches them from then on.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/protocol.hpp"
#include "connectors/sdk/batch.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace millrace::actors {

/// The replicas of one step. Thread-safe.
class Address {
public:
  explicit Address(std::size_t replicas) : replicas_(replicas) {}

  void set(std::size_t replica, caf::actor actor);

  std::size_t size() const noexcept { return replicas_.size(); }

  caf::actor get(std::size_t replica) const;

  /// A lane always goes to the same replica.
  caf::actor pick(const sdk::Batch& batch) const;

private:
  mutable std::mutex mutex_;
  std::vector<caf::actor> replicas_;  // the size does not change
};

/// The next step, or the return from nested steps. Empty: the end of the pipeline.
struct Hop {
  std::shared_ptr<Address> address;
  std::optional<std::uint32_t> branch;  // the address is of the step that the nested steps are in

  explicit operator bool() const noexcept { return address != nullptr; }

  void send(caf::event_based_actor* self, sdk::Batch batch, std::uint32_t counted) const;

  /// Nested steps end here for a flush: their owner passes it on by itself.
  void flush(caf::event_based_actor* self) const;
};

}  // namespace millrace::actors
