// Convictions: records that are known to kill a step. The source finds them out; the step asks
// before it touches a batch, and lets `onError` have them instead.
#pragma once

#include "connectors/sdk/error.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::actors {

/// Thread-safe; one for each pipeline. Asking costs one load while there are none.
class Convictions {
public:
  bool any() const noexcept { return count_.load(std::memory_order_acquire) > 0; }

  void add(std::uint64_t lane, std::uint64_t sequence, std::string step, sdk::Error error) {
    const std::lock_guard lock{mutex_};
    records_.insert_or_assign({lane, sequence}, Entry{std::move(step), std::move(error)});
    count_.store(records_.size(), std::memory_order_release);
  }

  void remove(std::uint64_t lane, std::uint64_t sequence) {
    const std::lock_guard lock{mutex_};
    records_.erase({lane, sequence});
    count_.store(records_.size(), std::memory_order_release);
  }

  bool contains(std::uint64_t lane, std::uint64_t sequence) const {
    const std::lock_guard lock{mutex_};
    return records_.contains({lane, sequence});
  }

  /// The error of that record where `step` is the one it killed.
  std::optional<sdk::Error> find(std::string_view step, std::uint64_t lane,
                                 std::uint64_t sequence) const {
    const std::lock_guard lock{mutex_};
    const auto found = records_.find({lane, sequence});
    if (found == records_.end() || found->second.step != step)
      return std::nullopt;
    return found->second.error;
  }

private:
  struct Entry {
    std::string step;
    sdk::Error error;
  };

  mutable std::mutex mutex_;
  std::atomic<std::size_t> count_{0};
  std::map<std::pair<std::uint64_t, std::uint64_t>, Entry> records_;
};

}  // namespace millrace::actors
