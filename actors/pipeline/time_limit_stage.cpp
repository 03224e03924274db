#include "actors/pipeline/time_limit_stage.hpp"

#include <cassert>
#include <unordered_map>
#include <utility>

namespace millrace::actors {

namespace {

class TimeLimitStage final : public Stage, private StageContext {
public:
  TimeLimitStage(StagePtr stage, std::chrono::milliseconds limit, sdk::Slot output)
    : limit_{limit}, output_{output}, stage_{std::move(stage)} {}

  StageTraits traits() const noexcept override { return stage_->traits(); }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return stage_->start(*this);
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    sdk::Batch copy{batch.lane(), batch.attempt()};
    std::vector<sdk::Record> records;
    records.reserve(batch.size());
    for (const auto& record : batch.records())
      records.push_back(record.copy());
    copy.add(std::move(records), {});
    waiting_.emplace(ticket, std::move(batch));
    stage_->process(std::move(copy), ticket);
    if (waiting_.contains(ticket))
      context_->after(limit_, ticket * 2 + 1);
  }

  void on_flush() override { stage_->on_flush(); }

  void on_return(std::size_t branch, sdk::Batch batch) override {
    stage_->on_return(branch, std::move(batch));
  }

  // Odd tokens are ours, even ones are the stage's.
  void on_timer(std::uint64_t token) override {
    if (token % 2 == 0) {
      stage_->on_timer(token / 2);
      return;
    }
    const auto found = waiting_.find(token / 2);
    if (found == waiting_.end())
      return;
    auto batch = std::move(found->second);
    waiting_.erase(found);
    sdk::Error::Detail detail;
    detail.outcome_unknown = true;
    const sdk::Error error{sdk::ErrorKind::timeout,
                           "no answer within " + std::to_string(limit_.count()) + " ms",
                           std::move(detail)};
    std::vector<sdk::Failure> failures;
    for (std::uint32_t i = 0; i < batch.size(); ++i)
      failures.push_back({i, error});
    context_->done(token / 2, std::move(batch), std::move(failures));
  }

  void on_room() override { stage_->on_room(); }

  void finish(std::function<void(sdk::Status)> done) override { stage_->finish(std::move(done)); }

private:
  void done(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures) override {
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end())
      return;  // too late
    auto original = std::move(found->second);
    waiting_.erase(found);
    assert(batch.size() == original.size());
    for (std::size_t i = 0; output_ != sdk::no_slot && i < batch.size(); ++i)
      original[i].set(output_, std::move(batch[i].at(output_)));
    context_->done(ticket, std::move(original), std::move(failures));
  }

  void give(Ticket ticket, sdk::Batch batch, std::vector<sdk::Failure> failures) override {
    context_->give(ticket, std::move(batch), std::move(failures));
  }

  void emit(sdk::Batch batch) override { context_->emit(std::move(batch)); }

  void send(std::size_t branch, sdk::Batch batch) override {
    context_->send(branch, std::move(batch));
  }

  std::size_t room() const noexcept override { return context_->room(); }

  void after(std::chrono::nanoseconds delay, std::uint64_t token) override {
    context_->after(delay, token * 2);
  }

  StagePost post() override { return context_->post(); }

  const sdk::Clock& clock() const noexcept override { return context_->clock(); }

  sdk::Log& log() const noexcept override { return context_->log(); }

  std::chrono::milliseconds limit_;
  sdk::Slot output_;
  StageContext* context_ = nullptr;
  std::unordered_map<Ticket, sdk::Batch> waiting_;
  StagePtr stage_;
};

}  // namespace

StagePtr limit_time(StagePtr stage, std::chrono::milliseconds limit, sdk::Slot output) {
  return std::make_unique<TimeLimitStage>(std::move(stage), limit, output);
}

}  // namespace millrace::actors
