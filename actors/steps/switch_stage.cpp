// switch: each record takes the branch of the first case that holds, and all go on in their order.
#include "actors/pipeline/nested_time.hpp"
#include "actors/pipeline/time_mark.hpp"
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
  SwitchStage(const dsl::StepProgram& step, const dsl::Switch& body, std::uint32_t spans)
    : step_{step}, body_{body}, spans_{spans}, time_{step.timeout} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto join = next_join_++;
    Work work{HeldBatch{std::move(batch), ticket}, {}, {}, 0, {}};
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
    work.returned.resize(work.open);
    if (time_.limited())
      work.mark = TimeMark::make();
    if (work.open == 0) {
      work.held.give_back(*context_);
      return;
    }
    auto ack = parts_->open(whole, join, work.open);
    std::vector<sdk::Batch> out;
    for (std::size_t i = 0; i < body_.cases.size(); ++i)
      out.emplace_back(whole.lane(), whole.attempt());
    for (const auto index : work.index_of)
      out[*branch_of[index]].add(part_of(whole[index], work.mark), ack.split(1));
    works_.emplace(join, std::move(work));
    time_.start(*context_, join);
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
      auto& whole = found->second.held.batch()[found->second.index_of[part.index]];
      if (time_.limited()) {
        TimeMark::take_off(record);
        put_back(whole, std::move(record), spans_);
      } else {
        whole = std::move(record);
      }
      found->second.returned[part.index] = true;
      one_less(found);
    }
  }

  void on_timer(std::uint64_t) override {
    for (const auto join : time_.due(*context_)) {
      const auto work = works_.find(join);
      work->second.mark.end();
      for (std::size_t part = 0; part < work->second.returned.size(); ++part) {
        if (!work->second.returned[part])
          work->second.held.fail(work->second.index_of[part], time_.error());
      }
      work->second.open = 1;
      one_less(work);
    }
  }

private:
  struct Work {
    HeldBatch held;
    std::vector<std::uint32_t> index_of;  // part -> record
    std::vector<bool> returned;           // by part; also those that left on the way
    std::uint32_t open = 0;
    TimeMark mark;
  };

  using Works = std::unordered_map<std::uint64_t, Work>;

  /// What goes into a branch: the record itself, but where it may have to fail here without its
  /// part.
  sdk::Record part_of(sdk::Record& whole, const TimeMark& mark) const {
    if (!time_.limited())
      return std::move(whole);
    auto part = whole.copy();
    part.share_attachments(whole);
    mark.put_on(part);
    return part;
  }

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
        time_.stop(news.join, context_->clock().now());
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
        found->second.returned[settled.first + i] = true;
        one_less(found);
      }
    }
  }

  void one_less(Works::iterator work) {
    if (--work->second.open > 0)
      return;
    auto held = std::move(work->second.held);
    time_.stop(work->first, context_->clock().now());
    works_.erase(work);
    held.give_back(*context_);
  }

  const dsl::StepProgram& step_;
  const dsl::Switch& body_;
  std::uint32_t spans_;
  NestedTime time_;
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  Works works_;
  std::uint64_t next_join_ = 1;
};

}  // namespace

StagePtr make_switch_stage(const dsl::StepProgram& step, const dsl::Switch& body,
                           const StageEnv& env) {
  const auto spans = env.pipeline ? env.pipeline->spans.size() : 0;
  return std::make_unique<SwitchStage>(step, body, static_cast<std::uint32_t>(spans));
}

}  // namespace millrace::actors
