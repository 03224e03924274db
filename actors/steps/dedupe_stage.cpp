// dedupe: drops records whose key was delivered within the window. While a record with the same key
// is on its way, a second one waits beside the lane: it is dropped when the first was delivered,
// and goes on in its place, behind its lane, when the first was not.
#include "actors/pipeline/parts.hpp"
#include "actors/steps/key_memory.hpp"
#include "actors/steps/key_text.hpp"
#include "actors/steps/stages.hpp"

#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class DedupeStage final : public Stage {
public:
  explicit DedupeStage(const dsl::Dedupe& body)
    : memory_{body.window, body.max_keys}, body_{body} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto now = context_->clock().now();
    std::vector<sdk::Failure> failures;
    std::vector<std::string> keys;
    std::vector<sdk::Batch> fresh;
    std::uint32_t place = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      auto key = key_text(body_.key, batch[i]);
      if (!key) {
        failures.push_back({place++, std::move(key).error()});
        fresh.push_back(batch.take_one(i));
        keys.emplace_back();
        continue;
      }
      switch (memory_.see(*key, now)) {
      case KeyMemory::Verdict::fresh:
        ++place;
        fresh.push_back(batch.take_one(i));
        keys.push_back(std::move(*key));
        break;
      case KeyMemory::Verdict::duplicate:
        batch.settle_one(i, sdk::Outcome::filtered);
        break;
      case KeyMemory::Verdict::pending:
        waiting_[std::move(*key)].push_back(batch.take_one(i));
        break;
      }
    }
    auto out = follow(batch.lane(), batch.attempt(), std::move(fresh), std::move(keys));
    context_->done(ticket, std::move(out), std::move(failures));
  }

private:
  // Records that passed together: what they owe, and their keys.
  struct Passed {
    std::vector<sdk::Ack> debts;
    std::vector<std::string> keys;
    std::size_t open = 0;
  };

  /// Makes one batch of single records and follows each to its end.
  sdk::Batch follow(const sdk::LanePtr& lane, std::uint32_t attempt,
                    std::vector<sdk::Batch> singles, std::vector<std::string> keys) {
    sdk::Batch out{lane, attempt};
    if (singles.empty())
      return out;
    const auto join = next_join_++;
    auto ack = parts_->open(out, join, static_cast<std::uint32_t>(singles.size()));
    Passed passed{{}, std::move(keys), singles.size()};
    for (auto& single : singles) {
      passed.debts.push_back(single.take_ack(0));
      out.add(std::move(single[0]), ack.split(1));
    }
    passed_.emplace(join, std::move(passed));
    return out;
  }

  void on_news(const PartsNews& news) {
    const auto found = passed_.find(news.join);
    if (found == passed_.end())
      return;
    for (const auto& settled : news.settled) {
      for (std::uint32_t i = settled.first; i < settled.first + settled.count; ++i) {
        settle(found->second.debts[i], settled);
        conclude(found->second.keys[i], settled.outcome);
        --found->second.open;
      }
    }
    if (news.lost) {
      auto lost = std::move(found->second);
      passed_.erase(found);
      for (std::size_t i = 0; i < lost.debts.size(); ++i) {
        if (!lost.debts[i].empty())
          conclude(lost.keys[i], sdk::Outcome::lost);
      }
    } else if (found->second.open == 0) {
      passed_.erase(found);
    }
  }

  static void settle(sdk::Ack& debt, const sdk::Settled& how) {
    if (debt.empty())
      return;
    if (how.failure)
      std::move(debt).fail(how.failure);
    else
      std::move(debt).settle(how.outcome, how.answer);
  }

  /// The record of `key` came to its end: those that waited for it are dropped, or the next one
  /// goes on.
  void conclude(const std::string& key, sdk::Outcome outcome) {
    const bool delivered = outcome == sdk::Outcome::delivered || outcome == sdk::Outcome::filtered;
    if (delivered)
      memory_.confirm(key, context_->clock().now());
    else
      memory_.release(key);
    const auto found = waiting_.find(key);
    if (found == waiting_.end())
      return;
    auto& queue = found->second;
    while (!queue.empty()) {
      auto record = std::move(queue.front());
      queue.pop_front();
      if (delivered) {
        record.settle(sdk::Outcome::filtered);
      } else if (!record.stale()) {
        static_cast<void>(memory_.see(key, context_->clock().now()));
        const auto lane = record.lane();
        const auto attempt = record.attempt();
        std::vector<sdk::Batch> one;
        one.push_back(std::move(record));
        context_->emit(follow(lane, attempt, std::move(one), {key}));
        break;
      }
    }
    if (queue.empty())
      waiting_.erase(key);
  }

  KeyMemory memory_;
  const dsl::Dedupe& body_;
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  std::unordered_map<std::uint64_t, Passed> passed_;
  std::unordered_map<std::string, std::deque<sdk::Batch>> waiting_;
  std::uint64_t next_join_ = 1;
};

}  // namespace

StagePtr make_dedupe_stage(const dsl::Dedupe& body) {
  return std::make_unique<DedupeStage>(body);
}

}  // namespace millrace::actors
