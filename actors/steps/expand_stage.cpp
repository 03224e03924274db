// foreach without `collect`: each item goes through the nested steps and flows on as a record of
// its own, in the order of the records and of their items. The next step's room bounds how many are
// on their way, however long the arrays are.
#include "actors/pipeline/nested_time.hpp"
#include "actors/pipeline/parts.hpp"
#include "actors/pipeline/time_mark.hpp"
#include "actors/steps/item_list.hpp"
#include "actors/steps/stages.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class ExpandStage final : public Stage {
public:
  ExpandStage(const dsl::StepProgram& step, const dsl::Foreach& body)
    : step_{step}, body_{body}, time_{step.timeout} {}

  StageTraits traits() const noexcept override {
    return {.expands = true, .one_by_one = true, .regroups = true};
  }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    auto items = item_list(*body_.in, batch[0]);
    if (!items) {
      context_->done(ticket, std::move(batch), {{0, std::move(items).error()}});
      return;
    }
    if (items->size() == 0) {
      batch.settle(sdk::Outcome::filtered);
      context_->done(ticket, {});
      return;
    }
    Whole whole{std::move(batch), std::move(*items)};
    whole.time_left = time_.limit();
    wholes_.emplace(ticket, std::move(whole));
    waiting_.push_back(ticket);
    pump();
  }

  void on_room() override { pump(); }

  void on_return(std::size_t, sdk::Batch batch) override {
    sdk::Batch out;
    Ticket of = 0;  // whose items `out` has
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto part = Parts::take(batch, i);
      const auto away = away_.find(part.join);
      if (away == away_.end())
        continue;  // too late
      if (away->second.ticket != of) {
        hand_on(of, std::exchange(out, {batch.lane(), batch.attempt()}));
        of = away->second.ticket;
      }
      auto& record = batch[i];
      if (time_.limited())
        TimeMark::take_off(record);
      if (step_.output != sdk::no_slot)
        record.set(step_.output, record.get(body_.steps.result));
      out.add(std::move(record), take_debt(away, part.index));
    }
    hand_on(of, std::move(out));
    pump();
  }

  // Items that came back before have flowed on.
  void on_timer(std::uint64_t) override {
    for (const auto ticket : time_.due(*context_)) {
      auto whole = std::move(wholes_.extract(ticket).mapped());
      for (auto away = away_.begin(); away != away_.end();) {
        if (away->second.ticket == ticket) {
          away->second.mark.end();
          for (auto& debt : away->second.debts)
            std::move(debt).settle(sdk::Outcome::filtered);
          away_items_ -= away->second.open;
          away = away_.erase(away);
        } else {
          ++away;
        }
      }
      context_->done(ticket, std::move(whole.record), {{0, time_.error()}});
    }
    pump();
  }

private:
  // A record that is being taken apart.
  struct Whole {
    sdk::Batch record;  // one; keeps an Ack until the last item has its own, or has come back
    sdk::Value items;
    std::size_t next = 0;
    std::size_t away = 0;  // items in the nested steps
    std::chrono::nanoseconds time_left{0};
  };

  // What items in the nested steps owe.
  struct Away {
    Ticket ticket = 0;
    std::vector<sdk::Ack> debts;
    std::size_t open = 0;
    TimeMark mark;
  };

  using AwayItems = std::unordered_map<std::uint64_t, Away>;

  static constexpr std::size_t most_at_once = 512;

  void pump() {
    if (std::exchange(pumping_, true))
      return;  // what is handed on here may bring the next record at once
    while (!waiting_.empty()) {
      const auto ticket = waiting_.front();
      const auto found = wholes_.find(ticket);
      if (found == wholes_.end()) {
        waiting_.pop_front();
        continue;
      }
      auto& whole = found->second;
      if (whole.record.stale()) {
        waiting_.pop_front();
        end(ticket);
        continue;
      }
      const auto room = context_->room();
      if (room <= away_items_)
        break;
      const auto count = std::min(
        {room - away_items_, most_at_once, whole.items.size() - whole.next});
      if (whole.next + count == whole.items.size())
        waiting_.pop_front();
      put_out(ticket, whole, count);
    }
    pumping_ = false;
  }

  void put_out(Ticket ticket, Whole& whole, std::size_t count) {
    auto& record = whole.record;
    sdk::Batch out{record.lane(), record.attempt()};
    const bool nested = !body_.steps.steps.empty();
    Away away{.ticket = ticket, .debts = {}, .open = count, .mark = {}};
    if (nested && time_.limited())
      away.mark = TimeMark::make();
    const auto join = next_join_++;
    sdk::Ack parts = nested ? parts_->open(record, join, static_cast<std::uint32_t>(count))
                            : sdk::Ack{};
    for (std::size_t i = 0; i < count; ++i) {
      auto item = record[0].copy();
      item.share_attachments(record[0]);
      away.mark.put_on(item);
      item.set(body_.item, whole.items.items()[whole.next]);
      ++whole.next;
      // Where it may yet fail as a whole it goes on owing.
      const bool last = whole.next == whole.items.size() && !time_.limited();
      auto debt = last ? record.take_ack(0) : record.fork(0);
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
      hand_on(ticket, std::move(out));
      return;
    }
    if (whole.away == 0)
      time_.start(*context_, ticket, whole.time_left);
    whole.away += count;
    away_items_ += count;
    away_.emplace(join, std::move(away));
    context_->send(0, std::move(out));
  }

  void hand_on(Ticket ticket, sdk::Batch items) {
    const auto whole = wholes_.find(ticket);
    if (whole == wholes_.end())
      return;
    if (!items.empty())
      context_->give(ticket, std::move(items));
    end_if_complete(ticket);
  }

  void end_if_complete(Ticket ticket) {
    const auto found = wholes_.find(ticket);
    if (found == wholes_.end() || found->second.away > 0)
      return;
    auto& whole = found->second;
    // The wait for room at the next step is not the nested steps' time.
    whole.time_left = time_.stop(ticket, context_->clock().now());
    if (whole.next < whole.items.size())
      return;
    whole.record.settle(sdk::Outcome::delivered);
    end(ticket);
  }

  void end(Ticket ticket) {
    time_.stop(ticket, context_->clock().now());
    const auto whole = wholes_.extract(ticket);
    context_->done(ticket, {});
  }

  sdk::Ack take_debt(AwayItems::iterator away, std::uint32_t index) {
    auto ack = std::move(away->second.debts[index]);
    --away_items_;
    if (const auto whole = wholes_.find(away->second.ticket); whole != wholes_.end())
      --whole->second.away;
    if (--away->second.open == 0)
      away_.erase(away);
    return ack;
  }

  void on_news(const PartsNews& news) {
    const auto found = away_.find(news.join);
    if (found == away_.end())
      return;
    const auto ticket = found->second.ticket;
    if (news.lost) {  // the lane is stale, and all of it comes again
      away_items_ -= found->second.open;
      away_.erase(found);
      if (wholes_.contains(ticket))
        end(ticket);
    } else {
      settle(found, news.settled);
      end_if_complete(ticket);
    }
    pump();
  }

  void settle(AwayItems::iterator away, const std::vector<sdk::Settled>& news) {
    const auto join = away->first;
    for (const auto& settled : news) {
      for (std::uint32_t i = 0; i < settled.count && away != away_.end(); ++i) {
        auto ack = take_debt(away, settled.first + i);
        if (settled.failure)
          std::move(ack).fail(settled.failure);
        else
          std::move(ack).settle(settled.outcome, settled.answer);
        away = away_.find(join);
      }
    }
  }

  const dsl::StepProgram& step_;
  const dsl::Foreach& body_;
  NestedTime time_;
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  std::unordered_map<Ticket, Whole> wholes_;
  std::deque<Ticket> waiting_;  // with items to be put out
  bool pumping_ = false;
  AwayItems away_;  // by join
  std::size_t away_items_ = 0;
  std::uint64_t next_join_ = 1;
};

}  // namespace

StagePtr make_expand_stage(const dsl::StepProgram& step, const dsl::Foreach& body) {
  return std::make_unique<ExpandStage>(step, body);
}

}  // namespace millrace::actors
