#include "connectors/generate/pacer.hpp"

#include <algorithm>
#include <chrono>

namespace millrace::generate {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

std::uint64_t Pacer::due(sdk::Instant now) {
  if (now < start_)
    return 0;
  const auto so_far = static_cast<std::uint64_t>(Seconds{now - start_}.count() * per_second_) + 1;
  const std::uint64_t open = so_far - std::min(so_far, taken_);
  const auto most = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(per_second_));
  if (open > most)
    taken_ += open - most;
  return std::min(open, most);
}

sdk::Instant Pacer::next() const {
  return start_
         + std::chrono::ceil<sdk::Instant::duration>(
           Seconds{static_cast<double>(taken_) / per_second_});
}

}  // namespace millrace::generate
