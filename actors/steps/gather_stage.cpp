// batch: many records become one, {items, count}, which owes what all of them owe.
#include "actors/pipeline/parts.hpp"
#include "actors/steps/gatherer.hpp"
#include "actors/steps/key_text.hpp"
#include "actors/steps/stages.hpp"

#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

/// A record that was gathered: its value, and what it owes.
struct Gathered {
  sdk::Value value;
  sdk::Ack ack;

  bool stale() const {
    const auto& receipt = ack.receipt();
    return receipt && receipt->lane()->attempt() != receipt->attempt();
  }
};

class GatherStage final : public Stage {
public:
  GatherStage(const dsl::StepProgram& step, const dsl::Gather& body)
    : step_{step},
      body_{body},
      gatherer_{{.count = body.count, .bytes = body.bytes, .period = body.period}} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto now = context_->clock().now();
    forget_older_attempts(batch);
    std::vector<bool> taken(batch.size(), false);
    std::vector<sdk::Failure> failures;
    std::vector<Group> full;
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      auto key = key_text(body_.by, batch[i]);
      auto value = key ? body_.item->evaluate({.record = &batch[i]}) : key.error();
      if (!value) {
        failures.push_back({static_cast<std::uint32_t>(failures.size()), std::move(value).error()});
        continue;
      }
      taken[i] = true;
      const auto bytes = body_.bytes > 0 ? value->heap_bytes() + sizeof(sdk::Value) : 0;
      if (auto group = gatherer_.add(*key, {std::move(*value), batch.take_ack(i)}, bytes, now))
        full.push_back(std::move(*group));
    }
    batch.extract(taken);
    context_->done(ticket, std::move(batch), std::move(failures));
    put_out(std::move(full));
    arm();
  }

  void on_flush() override { put_out(gatherer_.take_all()); }

  void on_timer(std::uint64_t) override {
    armed_ = sdk::Instant::max();
    put_out(gatherer_.take_due(context_->clock().now()));
    arm();
  }

private:
  using Group = Gatherer<Gathered>::Group;

  /// The lane was rewound: what is held of it comes again, so its place in a group is free.
  void forget_older_attempts(const sdk::Batch& batch) {
    if (batch.attempt() == 0
        || std::exchange(attempts_[batch.lane()->id()], batch.attempt()) == batch.attempt())
      return;
    gatherer_.remove_if([](const Gathered& item) { return item.stale(); });
  }

  void put_out(std::vector<Group> groups) {
    for (auto& group : groups) {
      std::erase_if(group.items, [](const Gathered& item) { return item.stale(); });
      if (!group.items.empty())
        put_out(std::move(group));
    }
  }

  void put_out(Group group) {
    auto items = sdk::Value::array();
    items.reserve(group.items.size());
    std::vector<sdk::Ack> debts;
    debts.reserve(group.items.size());
    for (auto& item : group.items) {
      items.push_back(std::move(item.value));
      debts.push_back(std::move(item.ack));
    }
    const auto count = static_cast<std::int64_t>(items.size());
    sdk::Record record;
    record.sequence = next_join_;
    record.set(step_.output, sdk::Value::object({{"items", std::move(items)}, {"count", count}}));
    sdk::Batch out{lane_, lane_->attempt()};
    const auto join = next_join_++;
    auto ack = parts_->open(out, join, 1);
    debts_.emplace(join, std::move(debts));
    out.add(std::move(record), std::move(ack));
    context_->emit(std::move(out));
  }

  void on_news(const PartsNews& news) {
    const auto found = debts_.find(news.join);
    if (found == debts_.end())
      return;
    auto debts = std::move(found->second);
    debts_.erase(found);
    if (news.lost || news.settled.empty())
      return;  // what they owe goes down as lost, and their lanes are rewound
    const auto& how = news.settled.front();
    for (auto& debt : debts) {
      if (debt.empty())
        continue;
      if (how.failure)
        std::move(debt).fail(how.failure);
      else
        std::move(debt).settle(how.outcome, how.answer);
    }
  }

  void arm() {
    const auto next = gatherer_.next_due();
    if (!next || *next >= armed_)
      return;
    armed_ = *next;
    context_->after(*next - context_->clock().now(), 0);
  }

  const dsl::StepProgram& step_;
  const dsl::Gather& body_;
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  Gatherer<Gathered> gatherer_;
  std::unordered_map<std::uint64_t, std::vector<sdk::Ack>> debts_;
  std::unordered_map<std::uint64_t, std::uint32_t> attempts_;  // of lanes that were rewound
  sdk::LanePtr lane_ = std::make_shared<sdk::Lane>("batch");
  std::uint64_t next_join_ = 1;
  sdk::Instant armed_ = sdk::Instant::max();
};

}  // namespace

StagePtr make_gather_stage(const dsl::StepProgram& step, const dsl::Gather& body) {
  return std::make_unique<GatherStage>(step, body);
}

}  // namespace millrace::actors
