#include "actors/pipeline/nested_time.hpp"

#include <algorithm>
#include <string>

namespace millrace::actors {

void NestedTime::start(StageContext& context, Work work, std::chrono::nanoseconds left) {
  if (!limit_)
    return;
  const auto end = context.clock().now() + left;
  ends_.emplace(end, work);
  end_of_.emplace(work, end);
  arm(context);
}

std::chrono::nanoseconds NestedTime::stop(Work work, sdk::Instant now) {
  const auto found = end_of_.find(work);
  if (found == end_of_.end())
    return limit();
  const auto left = std::max(found->second - now, sdk::Instant::duration{0});
  ends_.erase({found->second, work});
  end_of_.erase(found);
  return left;
}

std::vector<NestedTime::Work> NestedTime::due(StageContext& context) {
  armed_ = sdk::Instant::max();
  std::vector<Work> works;
  while (!ends_.empty() && ends_.begin()->first <= context.clock().now()) {
    works.push_back(ends_.begin()->second);
    end_of_.erase(ends_.begin()->second);
    ends_.erase(ends_.begin());
  }
  arm(context);
  return works;
}

void NestedTime::arm(StageContext& context) {
  if (ends_.empty() || ends_.begin()->first >= armed_)
    return;
  armed_ = ends_.begin()->first;
  context.after(armed_ - context.clock().now(), 0);
}

sdk::Error NestedTime::error() const {
  sdk::Error::Detail detail;
  detail.outcome_unknown = true;
  return {sdk::ErrorKind::timeout,
          "its nested steps took longer than "
            + std::to_string(limit_.value_or(std::chrono::milliseconds{0}).count()) + " ms",
          std::move(detail)};
}

}  // namespace millrace::actors
