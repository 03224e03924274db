// InjectedLane: a record that somebody handed to a running pipeline beside its source (`millrace
// send`, `replay`). The source never hears of it; who sent it does.
#pragma once

#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/lane.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace millrace::actors {

/// One record. Its way is answered exactly once: `lost` where it goes without an answer.
class InjectedLane final : public sdk::Lane {
public:
  /// Called on any thread, with the error of a failed one: {step, kind, sqlstate, message}.
  using Done = std::function<void(sdk::Outcome, const sdk::Value&)>;

  explicit InjectedLane(Done done) : Lane{"sent"}, done_{std::move(done)} {}

  InjectedLane(const InjectedLane&) = delete;
  InjectedLane& operator=(const InjectedLane&) = delete;

  ~InjectedLane() override { answer(sdk::Outcome::lost, {}); }

  void answer(sdk::Outcome outcome, const sdk::Value& value) {
    Done done;
    {
      const std::lock_guard lock{mutex_};
      done = std::exchange(done_, nullptr);
    }
    if (done)
      done(outcome, value);
  }

private:
  std::mutex mutex_;
  Done done_;
};

/// @returns null for a lane of the source's own.
inline InjectedLane* injected(const sdk::LanePtr& lane) noexcept {
  return dynamic_cast<InjectedLane*>(lane.get());
}

}  // namespace millrace::actors
