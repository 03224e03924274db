// delay: hands each batch on after a fixed time.
#include "actors/steps/stages.hpp"

#include <unordered_map>
#include <utility>

namespace millrace::actors {

namespace {

class DelayStage final : public Stage {
public:
  explicit DelayStage(const dsl::Delay& body) : body_{body} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    waiting_.emplace(ticket, std::move(batch));
    context_->after(body_.duration, ticket);
  }

  void on_timer(std::uint64_t ticket) override {
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end())
      return;
    auto batch = std::move(found->second);
    waiting_.erase(found);
    context_->done(ticket, std::move(batch));
  }

private:
  const dsl::Delay& body_;
  StageContext* context_ = nullptr;
  std::unordered_map<Ticket, sdk::Batch> waiting_;
};

}  // namespace

StagePtr make_delay_stage(const dsl::Delay& body) {
  return std::make_unique<DelayStage>(body);
}

}  // namespace millrace::actors
