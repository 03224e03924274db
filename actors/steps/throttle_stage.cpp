// throttle: holds records back so that no key exceeds its rate. A record keeps its ticket until it
// may go, so its lane keeps its order; with `ordered: false` keys do not wait for each other.
#include "actors/steps/key_text.hpp"
#include "actors/steps/stages.hpp"
#include "actors/steps/token_bucket.hpp"

#include <map>
#include <utility>

namespace millrace::actors {

namespace {

class ThrottleStage final : public Stage {
public:
  explicit ThrottleStage(const dsl::Throttle& body) : body_{body}, buckets_{body.per_second} {}

  StageTraits traits() const noexcept override { return {.one_by_one = true, .regroups = true}; }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto now = context_->clock().now();
    auto key = key_text(body_.by, batch[0]);
    if (!key) {
      context_->done(ticket, std::move(batch), {{0, std::move(key).error()}});
      return;
    }
    const auto due = now + buckets_.reserve(*key, now);
    if (due <= now) {
      context_->done(ticket, std::move(batch));
      return;
    }
    held_.emplace(due, Held{ticket, std::move(batch)});
    arm();
  }

  void on_timer(std::uint64_t) override {
    armed_ = sdk::Instant::max();
    const auto now = context_->clock().now();
    while (!held_.empty() && held_.begin()->first <= now) {
      auto held = std::move(held_.extract(held_.begin()).mapped());
      context_->done(held.ticket, std::move(held.record));
    }
    arm();
  }

private:
  struct Held {
    Ticket ticket = 0;
    sdk::Batch record;  // one
  };

  void arm() {
    if (held_.empty() || held_.begin()->first >= armed_)
      return;
    armed_ = held_.begin()->first;
    context_->after(armed_ - context_->clock().now(), 0);
  }

  const dsl::Throttle& body_;
  StageContext* context_ = nullptr;
  TokenBuckets buckets_;
  std::multimap<sdk::Instant, Held> held_;  // by when they may go
  sdk::Instant armed_ = sdk::Instant::max();
};

}  // namespace

StagePtr make_throttle_stage(const dsl::Throttle& body) {
  return std::make_unique<ThrottleStage>(body);
}

}  // namespace millrace::actors
