#include "connectors/sdk/lane.hpp"

#include <utility>

namespace millrace::sdk {

namespace {

std::uint64_t next_id() noexcept {
  static std::atomic<std::uint64_t> counter{0};
  return counter.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

Lane::Lane(std::string name, Value meta)
  : name_{std::move(name)}, meta_{std::move(meta)}, id_{next_id()} {
}

bool Lane::raise_attempt(std::uint32_t from) noexcept {
  return attempt_.compare_exchange_strong(from, from + 1, std::memory_order_acq_rel);
}

}  // namespace millrace::sdk
