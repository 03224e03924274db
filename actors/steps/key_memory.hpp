// KeyMemory: which keys a `dedupe` step has seen. A key is tentative until its record was
// delivered, so a duplicate never replaces a record that then failed. Pure; takes `now`.
#pragma once

#include "connectors/sdk/clock.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace millrace::actors {

/// Bounded: beyond `max_keys` the oldest firm key is forgotten; tentative ones are bounded by the
/// source's credit.
class KeyMemory {
public:
  enum class Verdict : std::uint8_t {
    fresh,      // not seen within the window: now tentative, and the caller's
    duplicate,  // delivered within the window
    pending,    // another record with this key is on its way: ask again after its end
  };

  KeyMemory(std::chrono::milliseconds window, std::size_t max_keys);

  Verdict see(std::string_view key, sdk::Instant now);

  /// The record of a tentative key was delivered: the window starts.
  void confirm(std::string_view key, sdk::Instant now);

  /// It was not: the key is free again.
  void release(std::string_view key);

  std::size_t size() const noexcept { return keys_.size(); }

private:
  struct Entry {
    bool firm = false;
    sdk::Instant until;
    std::list<std::string>::iterator age;  // of a firm key
  };

  void forget_old(sdk::Instant now);

  std::chrono::milliseconds window_;
  std::size_t max_keys_;
  std::unordered_map<std::string, Entry> keys_;
  std::list<std::string>
    firm_;  // oldest first; all have the same window, so also in the order of their end
};

}  // namespace millrace::actors
