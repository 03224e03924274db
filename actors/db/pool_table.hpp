// PoolTable: which pools are open for whom names a server by its settings, and since when each of
// them has been of no use. Pure: it takes the time as an argument.
//
//   PoolTable<Pool> table{100};
//   if (auto* pool = table.find(key, now)) …
//   for (const auto& idle : table.idle(now)) ask(idle.key, idle.use);
//   if (auto pool = table.take_unused(key, use)) pool->drain();
#pragma once

#include "connectors/sdk/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::actors::db {

template <class Pool>
class PoolTable {
public:
  /// A pool that nobody has used for its limit.
  struct Idle {
    std::string key;
    std::uint64_t use;  // how often it had been used by then
    Pool pool;
  };

  explicit PoolTable(std::size_t most) : most_{most} {}

  bool full() const noexcept { return pools_.size() >= most_; }

  std::size_t size() const noexcept { return pools_.size(); }

  /// The pool of `key`, which is used now; null: there is none.
  Pool* find(const std::string& key, sdk::Instant now) {
    const auto found = pools_.find(key);
    if (found == pools_.end())
      return nullptr;
    found->second.used(now);
    return &found->second.pool;
  }

  /// @param idle_limit after this time without use it is `idle`; zero: never.
  Pool& insert(const std::string& key, Pool pool, std::chrono::milliseconds idle_limit,
               sdk::Instant now) {
    auto& entry = pools_[key];
    entry.pool = std::move(pool);
    entry.limit = idle_limit;
    entry.used(now);
    return entry.pool;
  }

  /// Those to be looked at; they are not named again before another limit has passed.
  std::vector<Idle> idle(sdk::Instant now) {
    std::vector<Idle> found;
    for (auto& [key, entry] : pools_) {
      if (entry.limit.count() == 0 || entry.look_at > now)
        continue;
      entry.look_at = now + entry.limit;
      found.push_back({key, entry.use, entry.pool});
    }
    return found;
  }

  /// Takes it out, unless it was used since.
  std::optional<Pool> take_unused(const std::string& key, std::uint64_t use) {
    const auto found = pools_.find(key);
    if (found == pools_.end() || found->second.use != use)
      return std::nullopt;
    auto pool = std::move(found->second.pool);
    pools_.erase(found);
    return pool;
  }

  std::vector<Pool> take_all() {
    std::vector<Pool> all;
    for (auto& [key, entry] : pools_)
      all.push_back(std::move(entry.pool));
    pools_.clear();
    return all;
  }

  std::optional<sdk::Instant> next_tick() const {
    std::optional<sdk::Instant> next;
    for (const auto& [key, entry] : pools_) {
      if (entry.limit.count() > 0 && (!next || entry.look_at < *next))
        next = entry.look_at;
    }
    return next;
  }

private:
  struct Entry {
    void used(sdk::Instant now) {
      ++use;
      look_at = now + limit;
    }

    Pool pool;
    std::chrono::milliseconds limit{0};
    std::uint64_t use = 0;
    sdk::Instant look_at;
  };

  std::size_t most_;
  std::map<std::string, Entry> pools_;
};

}  // namespace millrace::actors::db
