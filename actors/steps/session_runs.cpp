#include "actors/steps/session_runs.hpp"

#include <algorithm>
#include <memory>

namespace millrace::actors {

void SessionRuns::send(const sdk::Batch& batch, std::size_t count, Ticket ticket,
                       const SessionHandle& session) {
  const auto id = next_++;
  sdk::Batch out{batch.lane(), batch.attempt()};
  auto ack = parts_.open(batch, id, static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    auto copy = batch[i].copy();
    copy.share_attachments(batch[i]);
    copy.attach(span_, std::make_unique<SessionAttachment>(session, nullptr));
    out.add(std::move(copy), ack.split(1));
  }
  Run run{ticket, session, {}, count};
  run.left.resize(count);
  runs_.emplace(id, std::move(run));
  context_.send(0, std::move(out));
}

void SessionRuns::on_return(sdk::Batch batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto part = Parts::take(batch, i);
    batch[i].drop_attachments();
    one_less(part.join, part.index, std::nullopt);
  }
}

void SessionRuns::on_news(const PartsNews& news) {
  const auto found = runs_.find(news.join);
  if (found == runs_.end())
    return;
  if (news.lost) {
    const auto ticket = found->second.ticket;
    runs_.erase(found);  // rolls back
    ended_({.ticket = ticket, .session = {}, .bad = {}});
    return;
  }
  for (const auto& settled : news.settled) {
    for (std::uint32_t i = 0; i < settled.count; ++i)
      one_less(news.join, settled.first + i, settled);
  }
}

void SessionRuns::one_less(std::uint64_t id, std::uint32_t index,
                           const std::optional<sdk::Settled>& left) {
  const auto found = runs_.find(id);
  if (found == runs_.end())
    return;
  found->second.left[index] = left;
  if (--found->second.open > 0)
    return;
  const auto run = std::move(runs_.extract(found).mapped());
  Ended ended{.ticket = run.ticket, .session = run.session, .bad = {}};
  const auto bad = std::ranges::find_if(
    run.left, [](const auto& one) { return one && one->outcome > sdk::Outcome::filtered; });
  if (bad != run.left.end())
    ended.bad.emplace(static_cast<std::size_t>(bad - run.left.begin()), **bad);
  ended_(std::move(ended));
}

}  // namespace millrace::actors
