#include "actors/pipeline/parts.hpp"

#include <utility>

namespace millrace::actors {

struct Parts::Listener final : sdk::SettleListener, std::enable_shared_from_this<Listener> {
  Listener(StagePost post_task, std::function<void(PartsNews)> on_news)
    : post{std::move(post_task)}, heard{std::move(on_news)} {}

  void on_settled(const std::shared_ptr<sdk::Receipt>& receipt) noexcept override {
    post([weak = weak_from_this(), receipt] {
      const auto self = weak.lock();
      if (!self || !self->heard)
        return;
      PartsNews news{receipt->first_sequence(), receipt->take_settled(), receipt->lost()};
      if (!news.settled.empty() || news.lost)
        self->heard(std::move(news));
    });
  }

  StagePost post;
  std::function<void(PartsNews)> heard;  // only touched in the actor's turn
};

Parts::Parts(StageContext& context, std::function<void(PartsNews)> heard)
  : listener_{std::make_shared<Listener>(context.post(), std::move(heard))} {
}

Parts::~Parts() {
  listener_->heard = nullptr;
}

sdk::Ack Parts::open(const sdk::Batch& whole, std::uint64_t join, std::uint32_t count) {
  // The receipt does not look at its sequence; here it carries the join's number.
  return sdk::Receipt::make(whole.lane(), whole.attempt(), join, count, sdk::Receipt::Report::each,
                            listener_)
    ->acknowledgement();
}

Part Parts::take(sdk::Batch& returned, std::size_t index) {
  auto ack = returned.take_ack(index);
  const Part part{ack.receipt()->first_sequence(), ack.first()};
  std::move(ack).release();
  return part;
}

}  // namespace millrace::actors
