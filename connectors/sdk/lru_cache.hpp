// LruCache: keeps the entries used last; what falls out is handed to whoever put the new one in.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace millrace::sdk {

/// Keys are text. Pointers to entries stay valid until the entry is removed or falls out.
template <class T>
class LruCache {
public:
  explicit LruCache(std::size_t capacity) : capacity_{capacity} {}

  /// The entry, which is now the one used last, or null.
  T* find(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end())
      return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  /// Adds an entry whose key is not there. @returns the entry that fell out.
  std::optional<T> insert(std::string key, T value) {
    std::optional<T> evicted;
    if (entries_.size() >= capacity_ && !entries_.empty()) {
      evicted = std::move(entries_.back().second);
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(std::move(key), std::move(value));
    index_.emplace(entries_.front().first, entries_.begin());
    return evicted;
  }

  void erase(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end())
      return;
    const auto entry = found->second;
    index_.erase(found);
    entries_.erase(entry);
  }

  void clear() {
    index_.clear();
    entries_.clear();
  }

  template <class Function>
  void for_each(Function function) const {
    for (const auto& [key, value] : entries_)
      function(value);
  }

  std::size_t size() const noexcept { return entries_.size(); }

  std::size_t capacity() const noexcept { return capacity_; }

private:
  using Entries = std::list<std::pair<std::string, T>>;

  std::size_t capacity_;
  Entries entries_;  // the one used last in front
  std::unordered_map<std::string_view, typename Entries::iterator>
    index_;  // views of the keys in `entries_`
};

}  // namespace millrace::sdk
