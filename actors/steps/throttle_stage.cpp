// throttle: holds records back so that no key exceeds its rate. A lane keeps its order: a record
// also waits for those before it.
#include "actors/steps/key_text.hpp"
#include "actors/steps/stages.hpp"
#include "actors/steps/token_bucket.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class ThrottleStage final : public Stage {
public:
  explicit ThrottleStage(const dsl::Throttle& body) : body_{body}, buckets_{body.per_second} {}

  StageTraits traits() const noexcept override { return {.limits_time = true}; }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto now = context_->clock().now();
    auto& lane = lanes_[batch.lane()->id()];
    std::vector<sdk::Failure> failures;
    std::vector<sdk::Instant> due;
    std::vector<bool> goes(batch.size(), false);
    auto at = lane.empty() ? now : lane.back().due;
    for (std::uint32_t i = 0, going = 0; i < batch.size(); ++i) {
      auto key = key_text(body_.by, batch[i]);
      if (key)
        at = std::max(at, now + buckets_.reserve(*key, now));
      else
        failures.push_back({going, key.error()});  // `onError` has it at once
      goes[i] = !key || at <= now;
      if (goes[i])
        ++going;
      else
        due.push_back(at);
    }
    auto going = batch.extract(goes);
    for (std::size_t i = 0; i < due.size(); ++i)
      lane.push_back({batch.take_one(i), due[i]});
    const auto id = going.lane()->id();
    context_->done(ticket, std::move(going), std::move(failures));
    if (lanes_[id].empty())
      lanes_.erase(id);
    arm();
  }

  void on_timer(std::uint64_t) override {
    armed_ = sdk::Instant::max();
    const auto now = context_->clock().now();
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      release(lane->second, now);
      lane = lane->second.empty() ? lanes_.erase(lane) : std::next(lane);
    }
    arm();
  }

private:
  struct Held {
    sdk::Batch record;  // one
    sdk::Instant due;
  };

  using Lane = std::deque<Held>;

  void release(Lane& lane, sdk::Instant now) {
    sdk::Batch out;
    while (!lane.empty() && lane.front().due <= now) {
      auto record = std::move(lane.front().record);
      lane.pop_front();
      if (record.stale())
        continue;
      if (out.empty())
        out = std::move(record);
      else
        out.append(std::move(record));
    }
    if (!out.empty())
      context_->emit(std::move(out));
  }

  void arm() {
    auto next = sdk::Instant::max();
    for (const auto& [id, lane] : lanes_) {
      if (!lane.empty())
        next = std::min(next, lane.front().due);
    }
    if (next >= armed_)
      return;
    armed_ = next;
    context_->after(next - context_->clock().now(), 0);
  }

  const dsl::Throttle& body_;
  StageContext* context_ = nullptr;
  TokenBuckets buckets_;
  std::map<std::uint64_t, Lane> lanes_;  // those that have records held back
  sdk::Instant armed_ = sdk::Instant::max();
};

}  // namespace

StagePtr make_throttle_stage(const dsl::Throttle& body) {
  return std::make_unique<ThrottleStage>(body);
}

}  // namespace millrace::actors
