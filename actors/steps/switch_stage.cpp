// switch: each record takes the branch of the first case that holds, and all go on in their order.
#include "actors/steps/held_batch.hpp"
#include "actors/steps/stages.hpp"

#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class SwitchStage final : public Stage {
public:
  SwitchStage(const dsl::StepProgram& step, const dsl::Switch& body) : step_{step}, body_{body} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto join = next_join_++;
    Work work{HeldBatch{std::move(batch), ticket}, {}, 0};
    auto& whole = work.held.batch();
    std::vector<std::optional<std::size_t>> branch_of(whole.size());
    for (std::uint32_t i = 0; i < whole.size(); ++i) {
      auto branch = choose(whole[i]);
      if (!branch) {
        work.held.fail(i, std::move(branch).error());
      } else if (*branch < body_.cases.size()) {
        branch_of[i] = *branch;
        work.index_of.push_back(i);
      } else if (step_.output != sdk::no_slot) {
        whole[i].set(step_.output, {});
      }
    }
    work.open = static_cast<std::uint32_t>(work.index_of.size());
    if (work.open == 0) {
      work.held.give_back(*context_);
      return;
    }
    auto ack = parts_->open(whole, join, work.open);
    std::vector<sdk::Batch> out;
    for (std::size_t i = 0; i < body_.cases.size(); ++i)
      out.emplace_back(whole.lane(), whole.attempt());
    for (const auto index : work.index_of)
      out[*branch_of[index]].add(std::move(whole[index]), ack.split(1));
    works_.emplace(join, std::move(work));
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!out[i].empty())
        context_->send(i, std::move(out[i]));
    }
  }

  void on_return(std::size_t branch, sdk::Batch batch) override {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto part = Parts::take(batch, i);
      const auto found = works_.find(part.join);
      if (found == works_.end())
        continue;
      auto& record = batch[i];
      if (step_.output != sdk::no_slot)
        record.set(step_.output, record.get(body_.cases[branch].steps.result));
      found->second.held.batch()[found->second.index_of[part.index]] = std::move(record);
      one_less(found);
    }
  }

private:
  struct Work {
    HeldBatch held;
    std::vector<std::uint32_t> index_of;  // part -> record
    std::uint32_t open = 0;
  };

  using Works = std::unordered_map<std::uint64_t, Work>;

  /// The number of the case, or of none behind the last.
  sdk::Result<std::size_t> choose(const sdk::Record& record) const {
    for (std::size_t i = 0; i < body_.cases.size(); ++i) {
      if (!body_.cases[i].when)
        return i;
      auto holds = body_.cases[i].when->test({.record = &record});
      if (!holds)
        return std::move(holds).error();
      if (*holds)
        return i;
    }
    return body_.cases.size();
  }

  void on_news(const PartsNews& news) {
    if (news.lost) {
      if (const auto found = works_.find(news.join); found != works_.end()) {
        auto held = std::move(found->second.held);
        works_.erase(found);
        held.drop(*context_);
      }
      return;
    }
    for (const auto& settled : news.settled) {
      for (std::uint32_t i = 0; i < settled.count; ++i) {
        const auto found = works_.find(news.join);
        if (found == works_.end())
          return;
        found->second.held.settle(found->second.index_of[settled.first + i], settled);
        one_less(found);
      }
    }
  }

  void one_less(Works::iterator work) {
    if (--work->second.open > 0)
      return;
    auto held = std::move(work->second.held);
    works_.erase(work);
    held.give_back(*context_);
  }

  const dsl::StepProgram& step_;
  const dsl::Switch& body_;
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  Works works_;
  std::uint64_t next_join_ = 1;
};

}  // namespace

StagePtr make_switch_stage(const dsl::StepProgram& step, const dsl::Switch& body) {
  return std::make_unique<SwitchStage>(step, body);
}

}  // namespace millrace::actors
