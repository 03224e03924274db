// LaneSequencer: hands batches on in the order in which their lane brought them, however late each
// comes back. Lanes do not wait for each other.
//
//   auto place = sequencer.open(lane_id, attempt);      // on arrival
//   sequencer.complete(place, std::move(batch), ready); // `ready` gets what may go on now
#pragma once

#include "connectors/sdk/batch.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace millrace::actors {

class LaneSequencer {
public:
  /// Numbers rise by one with each arrival.
  using Place = std::uint64_t;

  /// @param ordered false: every batch goes on as soon as it is complete.
  explicit LaneSequencer(bool ordered) : ordered_{ordered} {}

  /// A place behind all that the lane has open. Attempts of a lane do not wait for each other: what
  /// belongs to an older one is stale.
  Place open(std::uint64_t lane, std::uint32_t attempt);

  /// Fills an open place; an empty batch gives it up. Batches that may go on now are appended to
  /// `ready`.
  void complete(Place place, sdk::Batch batch, std::vector<sdk::Batch>& ready);

  /// The first open place of a lane, behind which its others wait; none where nothing waits.
  std::optional<Place> front(std::uint64_t lane, std::uint32_t attempt) const;

  /// The lowest place that is open or held back; the next one to be given where there is none.
  Place oldest() const noexcept { return first_; }

  Place next() const noexcept { return first_ + places_.size(); }

  bool idle() const noexcept { return places_.empty(); }

private:
  struct Key {
    std::uint64_t lane;
    std::uint32_t attempt;
    bool operator==(const Key&) const = default;
  };

  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return static_cast<std::size_t>(key.lane * 0x9E3779B97F4A7C15ULL + key.attempt);
    }
  };

  struct Entry {
    Key key;
    bool gone = false;                // handed on
    std::optional<sdk::Batch> ready;  // complete, waits for its lane
  };

  Entry& entry(Place place) noexcept { return places_[place - first_]; }

  void leave(Entry& entry, sdk::Batch batch, std::vector<sdk::Batch>& ready);
  void trim();

  bool ordered_;
  Place first_ = 0;
  std::deque<Entry> places_;
  std::unordered_map<Key, std::deque<Place>, KeyHash> lanes_;  // only lanes with something open
};

}  // namespace millrace::actors
