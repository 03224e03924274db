#include "actors/steps/part_stage.hpp"

#include <utility>
#include <vector>

namespace millrace::actors {

sdk::Status PartStage::start(StageContext& context) {
  context_ = &context;
  parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
  return {};
}

void PartStage::process(sdk::Batch batch, Ticket ticket) {
  PartWork work{HeldBatch{std::move(batch), ticket}};
  auto& whole = work.held().batch();
  std::vector<sdk::Value> cuts(whole.size());
  for (std::uint32_t i = 0; i < whole.size(); ++i) {
    if (auto parts = cut(whole[i])) {
      work.cut(i, static_cast<std::uint32_t>(parts->size()));
      cuts[i] = std::move(*parts);
    } else {
      work.held().fail(i, std::move(parts).error());
    }
  }
  if (work.parts() == 0) {
    give_back(std::move(work));
    return;
  }
  if (time_.limited())
    work.mark = TimeMark::make();
  const auto id = next_join_++;
  auto ack = parts_->open(whole, id, work.parts());
  std::vector<sdk::Batch> out;
  for (std::size_t i = 0; i < branches(); ++i)
    out.emplace_back(whole.lane(), whole.attempt());
  for (std::uint32_t i = 0; i < whole.size(); ++i) {
    for (std::uint32_t part = 0; part < cuts[i].size(); ++part) {
      auto copy = whole[i].copy();
      copy.share_attachments(whole[i]);
      work.mark.put_on(copy);
      const auto branch = make_part(cuts[i].items()[part], part, copy);
      out[branch].add(std::move(copy), ack.split(1));
    }
  }
  works_.emplace(id, std::move(work));
  time_.start(*context_, id);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!out[i].empty())
      context_->send(i, std::move(out[i]));
  }
}

void PartStage::on_return(std::size_t branch, sdk::Batch batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto part = Parts::take(batch, i);
    const auto found = works_.find(part.join);
    if (found == works_.end())
      continue;
    if (auto value = value_of(branch, batch[i]))
      found->second.put(part.index, std::move(*value));
    else
      found->second.fail(part.index, std::move(value).error());
    give_back_if_complete(part.join);
  }
}

void PartStage::on_timer(std::uint64_t) {
  for (const auto id : time_.due(*context_)) {
    auto& work = works_.at(id);
    work.mark.end();
    work.give_up(time_.error());
    give_back_if_complete(id);
  }
}

void PartStage::on_news(const PartsNews& news) {
  const auto found = works_.find(news.join);
  if (found == works_.end())
    return;
  if (news.lost) {
    auto held = std::move(found->second.held());
    works_.erase(found);
    time_.stop(news.join, context_->clock().now());
    held.drop(*context_);
    return;
  }
  for (const auto& settled : news.settled) {
    for (std::uint32_t i = 0; i < settled.count; ++i)
      found->second.settle(settled.first + i, settled);
  }
  give_back_if_complete(news.join);
}

void PartStage::give_back_if_complete(std::uint64_t join) {
  const auto found = works_.find(join);
  if (found == works_.end() || !found->second.complete())
    return;
  auto work = std::move(found->second);
  works_.erase(found);
  time_.stop(join, context_->clock().now());
  give_back(std::move(work));
}

void PartStage::give_back(PartWork work) {
  work.give_back(*context_, [this](sdk::Record& record, Values values) {
    auto output = join(values);
    if (step_.output != sdk::no_slot)
      record.set(step_.output, std::move(output));
  });
}

}  // namespace millrace::actors
