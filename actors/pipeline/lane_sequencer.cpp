#include "actors/pipeline/lane_sequencer.hpp"

#include <cassert>
#include <utility>

namespace millrace::actors {

LaneSequencer::Place LaneSequencer::open(std::uint64_t lane, std::uint32_t attempt) {
  const Place place = next();
  places_.push_back({{lane, attempt}, false, std::nullopt});
  if (ordered_)
    lanes_[places_.back().key].push_back(place);
  return place;
}

void LaneSequencer::complete(Place place, sdk::Batch batch, std::vector<sdk::Batch>& ready) {
  assert(place >= first_ && place < next());
  auto& mine = entry(place);
  assert(!mine.gone && !mine.ready);
  if (!ordered_) {
    leave(mine, std::move(batch), ready);
    trim();
    return;
  }
  const auto lane = lanes_.find(mine.key);
  auto& queue = lane->second;
  if (queue.front() != place) {
    mine.ready = std::move(batch);
    return;
  }
  queue.pop_front();
  leave(mine, std::move(batch), ready);
  while (!queue.empty() && entry(queue.front()).ready) {
    auto& following = entry(queue.front());
    queue.pop_front();
    leave(following, std::move(*following.ready), ready);
  }
  if (queue.empty())
    lanes_.erase(lane);
  trim();
}

std::optional<LaneSequencer::Place> LaneSequencer::front(std::uint64_t lane,
                                                         std::uint32_t attempt) const {
  const auto found = lanes_.find({lane, attempt});
  if (found == lanes_.end())
    return std::nullopt;
  return found->second.front();
}

void LaneSequencer::leave(Entry& entry, sdk::Batch batch, std::vector<sdk::Batch>& ready) {
  entry.gone = true;
  entry.ready.reset();
  if (!batch.empty())
    ready.push_back(std::move(batch));
}

void LaneSequencer::trim() {
  while (!places_.empty() && places_.front().gone) {
    places_.pop_front();
    ++first_;
  }
}

}  // namespace millrace::actors
