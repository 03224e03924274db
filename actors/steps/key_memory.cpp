#include "actors/steps/key_memory.hpp"

namespace millrace::actors {

KeyMemory::KeyMemory(std::chrono::milliseconds window, std::size_t max_keys)
  : window_{window}, max_keys_{max_keys} {
}

KeyMemory::Verdict KeyMemory::see(std::string_view key, sdk::Instant now) {
  forget_old(now);
  const auto [entry, is_new] = keys_.try_emplace(std::string{key});
  if (is_new)
    return Verdict::fresh;
  return entry->second.firm ? Verdict::duplicate : Verdict::pending;
}

void KeyMemory::confirm(std::string_view key, sdk::Instant now) {
  const auto found = keys_.find(std::string{key});
  if (found == keys_.end() || found->second.firm)
    return;
  found->second.firm = true;
  found->second.until = now + window_;
  found->second.age = firm_.insert(firm_.end(), found->first);
  forget_old(now);
}

void KeyMemory::release(std::string_view key) {
  const auto found = keys_.find(std::string{key});
  if (found != keys_.end() && !found->second.firm)
    keys_.erase(found);
}

void KeyMemory::forget_old(sdk::Instant now) {
  while (!firm_.empty()) {
    const auto oldest = keys_.find(firm_.front());
    if (firm_.size() <= max_keys_ && oldest->second.until > now)
      return;
    keys_.erase(oldest);
    firm_.pop_front();
  }
}

}  // namespace millrace::actors
