// Gatherer: the decisions of a `batch` step: which group a record joins, and when a group is full
// or due. Pure; takes `now`. `Item` is what is kept of a record.
#pragma once

#include "connectors/sdk/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

struct GatherLimits {
  std::uint64_t count = 0;  // 0: no such limit
  std::uint64_t bytes = 0;
  std::optional<std::chrono::milliseconds> period;  // from a group's first record
};

template <class Item>
class Gatherer {
public:
  struct Group {
    std::string key;
    std::vector<Item> items;
    std::uint64_t bytes = 0;
    sdk::Instant due = sdk::Instant::max();
  };

  explicit Gatherer(GatherLimits limits) : limits_{limits} {}

  /// Adds an item; @returns the group where it is full now. An item that alone exceeds the bytes is
  /// a group.
  std::optional<Group> add(std::string_view key, Item item, std::uint64_t bytes, sdk::Instant now) {
    auto& group = groups_[std::string{key}];
    if (group.items.empty()) {
      group.key = key;
      if (limits_.period)
        group.due = now + *limits_.period;
    }
    group.items.push_back(std::move(item));
    group.bytes += bytes;
    const bool full = (limits_.count > 0 && group.items.size() >= limits_.count)
                      || (limits_.bytes > 0 && group.bytes >= limits_.bytes);
    if (!full)
      return std::nullopt;
    auto taken = std::move(group);
    groups_.erase(taken.key);
    return taken;
  }

  /// The groups whose period has passed, oldest first.
  std::vector<Group> take_due(sdk::Instant now) {
    return take_if([now](const Group& group) { return group.due <= now; });
  }

  /// All groups, whatever is in them: at a flush marker and at the end.
  std::vector<Group> take_all() {
    return take_if([](const Group&) { return true; });
  }

  /// When the next group is due; nothing where none is.
  std::optional<sdk::Instant> next_due() const {
    std::optional<sdk::Instant> next;
    for (const auto& [key, group] : groups_) {
      if (group.due != sdk::Instant::max() && (!next || group.due < *next))
        next = group.due;
    }
    return next;
  }

  bool empty() const noexcept { return groups_.empty(); }

  /// Drops items for which `gone` holds, and groups that become empty.
  template <class Predicate>
  void remove_if(Predicate gone) {
    for (auto group = groups_.begin(); group != groups_.end();) {
      std::erase_if(group->second.items, gone);
      group = group->second.items.empty() ? groups_.erase(group) : std::next(group);
    }
  }

private:
  template <class Predicate>
  std::vector<Group> take_if(Predicate wanted) {
    std::vector<Group> taken;
    for (auto group = groups_.begin(); group != groups_.end();) {
      if (wanted(group->second)) {
        taken.push_back(std::move(group->second));
        group = groups_.erase(group);
      } else {
        ++group;
      }
    }
    std::ranges::sort(taken, [](const Group& a, const Group& b) {
      return std::tie(a.due, a.key) < std::tie(b.due, b.key);
    });
    return taken;
  }

  GatherLimits limits_;
  std::unordered_map<std::string, Group> groups_;
};

}  // namespace millrace::actors
