// LaneGate: lets one piece of work of a lane in at a time, in order of arrival. Used where work
// holds something scarce until records behind it could want the same (an open transaction). No
// actor.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>

namespace millrace::actors {

class LaneGate {
public:
  using Task = std::function<void()>;

  /// @param open lets everybody in at once (`ordered: false`).
  explicit LaneGate(bool open) : open_{open} {}

  /// Runs `task` at once, or when those of the lane before it have left.
  void enter(std::uint64_t lane, Task task) {
    if (!open_) {
      const auto [found, is_free] = lanes_.try_emplace(lane);
      if (!is_free) {
        found->second.push_back(std::move(task));
        return;
      }
    }
    task();
  }

  /// The one inside has left. Runs the next.
  void leave(std::uint64_t lane) {
    const auto found = lanes_.find(lane);
    if (found == lanes_.end())
      return;
    if (found->second.empty()) {
      lanes_.erase(found);
      return;
    }
    auto next = std::move(found->second.front());
    found->second.pop_front();
    next();
  }

private:
  bool open_;
  std::unordered_map<std::uint64_t, std::deque<Task>> lanes_;  // occupied; and who waits
};

}  // namespace millrace::actors
