// LaneWindow: what a source has taken in on one lane and not yet seen settled. It keeps the
// records, so that what was lost on the way is sent again, in order; it never reads the input
// again.
//
//   window.take(std::move(intake), actions…);        // records wait in it
//   auto batch = window.next_batch(512, listener);   // in order, each with its place in a receipt
//   window.settle(receipt_sequence, …);              // and the front leaves when it has settled
#pragma once

#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/source.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::actors {

class LaneWindow {
public:
  struct Slots {
    sdk::Slot output = 0;
    std::optional<sdk::Slot> meta;
  };

  /// A batch to send, and which of its records could not be read.
  struct Outgoing {
    sdk::Batch batch;
    std::vector<sdk::Failure> failures;
  };

  /// What left the window's front: its credit comes back, and the source hears of the position.
  struct Progress {
    std::size_t records = 0;
    std::size_t bytes = 0;
    std::uint64_t position = 0;
  };

  /// Positions are the source's: lines, bytes or offsets.
  struct Unsettled {
    std::string lane;
    std::size_t records = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };

  LaneWindow(sdk::LanePtr lane, Slots slots);

  const sdk::LanePtr& lane() const noexcept { return lane_; }

  /// Its record came by hand, not from the source.
  bool is_injected() const noexcept { return injected_; }

  void take(sdk::Intake intake);

  /// The next records that wait, at most `limit`; nothing where none do.
  std::optional<Outgoing> next_batch(std::size_t limit, sdk::Receipt::Report report,
                                     const std::weak_ptr<sdk::SettleListener>& listener);

  /// Record `sequence` came to a good end, on the attempt that is under way. @returns false where
  /// it had before.
  bool settle(std::uint64_t sequence);

  /// Takes what has settled off the front.
  Progress advance();

  std::uint64_t position(std::uint64_t sequence) const noexcept;

  /// The attempt with which records are sent; news of another one is old.
  std::uint32_t attempt() const noexcept { return attempt_; }

  /// Records on their way.
  std::size_t sent() const noexcept { return sent_; }

  /// Whether records wait to be sent.
  bool waiting() const noexcept;

  bool empty() const noexcept { return window_.empty(); }

  // --- loss

  /// Something on its way was lost: nothing more is sent until `rewind`.
  void mark_lost() noexcept { lost_ = true; }

  bool lost() const noexcept { return lost_; }

  /// Everything that has not settled waits again, for the lane's present attempt.
  /// @param suspicious a step died over it: after two such deaths without all that was open then
  ///   having settled, its records are `suspect`.
  void rewind(bool suspicious);

  Unsettled unsettled() const;

  /// Records are to be sent one at a time.
  bool suspect() const noexcept;

  std::uint32_t crashes() const noexcept { return crashes_; }

  /// The first record that has not settled.
  std::uint64_t first() const noexcept;

private:
  struct Open {
    sdk::Value payload;
    sdk::Value meta;
    std::uint64_t position = 0;
    std::uint32_t bytes = 0;
    bool settled = false;
  };

  Open& open(std::uint64_t sequence) noexcept {
    return window_[static_cast<std::size_t>(sequence - base_)];
  }

  sdk::LanePtr lane_;
  bool injected_;
  Slots slots_;
  std::uint32_t attempt_;
  std::uint64_t base_ = 0;  // sequence of the window's front
  std::uint64_t next_ = 0;  // the first one that waits
  std::size_t sent_ = 0;
  std::deque<Open> window_;
  std::map<std::uint64_t, sdk::Error> unreadable_;
  bool lost_ = false;
  std::uint32_t crashes_ = 0;
  std::uint64_t suspects_end_ = 0;  // what was open at the last crash lies before this
};

}  // namespace millrace::actors
