// foreach without `collect`: each item goes through the nested steps and flows on as a record of
// its own. The next step's room bounds how many are on their way, however long the arrays are.
#include "actors/pipeline/parts.hpp"
#include "actors/steps/item_list.hpp"
#include "actors/steps/stages.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class ExpandStage final : public Stage {
public:
  ExpandStage(const dsl::StepProgram& step, const dsl::Foreach& body) : step_{step}, body_{body} {}

  StageTraits traits() const noexcept override { return {.expands = true}; }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    std::vector<bool> taken(batch.size(), false);
    std::vector<sdk::Failure> failures;
    for (std::uint32_t i = 0, failed = 0; i < batch.size(); ++i) {
      auto items = item_list(*body_.in, batch[i]);
      if (!items) {
        failures.push_back({failed++, std::move(items).error()});
        continue;
      }
      taken[i] = true;
      if (items->size() == 0)
        batch.settle_one(i, sdk::Outcome::filtered);
      else
        waiting_.push_back({batch.take_one(i), std::move(*items), 0});
    }
    batch.extract(taken);
    context_->done(ticket, std::move(batch), std::move(failures));
    pump();
  }

  void on_room() override { pump(); }

  void on_return(std::size_t, sdk::Batch batch) override {
    sdk::Batch out{batch.lane(), batch.attempt()};
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto part = Parts::take(batch, i);
      auto ack = take_debt(part.join, part.index);
      if (ack.empty())
        continue;
      auto& record = batch[i];
      if (step_.output != sdk::no_slot)
        record.set(step_.output, record.get(body_.steps.result));
      out.add(std::move(record), std::move(ack));
    }
    if (!out.empty())
      context_->emit(std::move(out));
    pump();
  }

private:
  // A record that is being taken apart.
  struct Waiting {
    sdk::Batch record;  // one; keeps the Ack until the last item has its own
    sdk::Value items;
    std::size_t next = 0;
  };

  // What items in the nested steps owe.
  struct Away {
    std::vector<sdk::Ack> debts;
    std::size_t open = 0;
  };

  static constexpr std::size_t most_at_once = 512;

  void pump() {
    while (!waiting_.empty()) {
      auto& waiting = waiting_.front();
      if (waiting.record.stale()) {
        waiting_.pop_front();
        continue;
      }
      const auto taken = away_items_;
      const auto room = context_->room();
      if (room <= taken)
        return;
      const auto count = std::min(
        {room - taken, most_at_once, waiting.items.size() - waiting.next});
      put_out(waiting, count);
      if (waiting.next == waiting.items.size())
        waiting_.pop_front();
    }
  }

  void put_out(Waiting& waiting, std::size_t count) {
    auto& whole = waiting.record;
    sdk::Batch out{whole.lane(), whole.attempt()};
    const bool nested = !body_.steps.steps.empty();
    Away away;
    const auto join = next_join_++;
    sdk::Ack parts = nested ? parts_->open(whole, join, static_cast<std::uint32_t>(count))
                            : sdk::Ack{};
    for (std::size_t i = 0; i < count; ++i) {
      auto item = whole[0].copy();
      item.set(body_.item, waiting.items.items()[waiting.next]);
      ++waiting.next;
      const bool last = waiting.next == waiting.items.size();
      auto debt = last ? whole.take_ack(0) : whole.fork(0);
      if (nested) {
        away.debts.push_back(std::move(debt));
        out.add(std::move(item), parts.split(1));
      } else {
        if (step_.output != sdk::no_slot)
          item.set(step_.output, item.get(body_.item));
        out.add(std::move(item), std::move(debt));
      }
    }
    if (!nested) {
      context_->emit(std::move(out));
      return;
    }
    away.open = count;
    away_items_ += count;
    away_.emplace(join, std::move(away));
    context_->send(0, std::move(out));
  }

  sdk::Ack take_debt(std::uint64_t join, std::uint32_t index) {
    const auto found = away_.find(join);
    if (found == away_.end())
      return {};
    auto ack = std::move(found->second.debts[index]);
    --away_items_;
    if (--found->second.open == 0)
      away_.erase(found);
    return ack;
  }

  void on_news(const PartsNews& news) {
    if (news.lost) {
      if (const auto found = away_.find(news.join); found != away_.end()) {
        away_items_ -= found->second.open;
        away_.erase(found);
      }
    }
    for (const auto& settled : news.settled) {
      for (std::uint32_t i = 0; i < settled.count; ++i) {
        auto ack = take_debt(news.join, settled.first + i);
        if (ack.empty())
          continue;
        if (settled.failure)
          std::move(ack).fail(settled.failure);
        else
          std::move(ack).settle(settled.outcome, settled.answer);
      }
    }
    pump();
  }

  const dsl::StepProgram& step_;
  const dsl::Foreach& body_;
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint64_t, Away> away_;
  std::size_t away_items_ = 0;
  std::uint64_t next_join_ = 1;
};

}  // namespace

StagePtr make_expand_stage(const dsl::StepProgram& step, const dsl::Foreach& body) {
  return std::make_unique<ExpandStage>(step, body);
}

}  // namespace millrace::actors
