// A `transaction` block: each record (with `per: batch` each batch) goes through the nested steps
// with a transaction of its own, which commits at their end and rolls back on any other exit. Where
// that was a conflict or a lost connection, the whole block runs again with the records as they
// were.
#include "actors/db/database_handle.hpp"
#include "actors/pipeline/time_mark.hpp"
#include "actors/restart_policy.hpp"
#include "actors/steps/database_result.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/held_batch.hpp"
#include "actors/steps/in_turn.hpp"
#include "actors/steps/lane_gate.hpp"
#include "actors/steps/session_attachment.hpp"
#include "actors/steps/span_group.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

/// What the nested steps made of one record.
struct BlockRecord {
  std::uint32_t index = 0;  // in the batch
  sdk::Record result;
  bool returned = false;
  std::optional<sdk::Settled> left;  // it left on the way
};

class TransactionStage final : public Stage {
public:
  TransactionStage(const dsl::StepProgram& step, const dsl::TransactionBlock& block,
                   const StageEnv& env)
    : step_{step},
      block_{block},
      pipeline_{*env.pipeline},
      group_{*env.pipeline, block.span, *env.program},
      database_{(*env.databases)[block.server]},
      jitter_{env.seed},
      retry_{block.options.retry.value_or(dsl::RetryPolicy{
        .attempts = 3, .base = dsl::milliseconds{20}, .cap = dsl::milliseconds{2000}})},
      gate_{!step.ordered},
      spans_{static_cast<std::uint32_t>(env.pipeline->spans.size())} {}

  StageTraits traits() const noexcept override { return {.one_by_one = !block_.options.per_batch}; }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    parts_ = std::make_unique<Parts>(context, [this](const PartsNews& news) { on_news(news); });
    return group_.prepare();
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto lane = batch.lane()->id();
    const auto count = static_cast<std::uint32_t>(batch.size());
    tickets_.emplace(ticket, Open{HeldBatch{std::move(batch), ticket}, count});
    std::vector<std::uint32_t> all(count);
    for (std::uint32_t i = 0; i < count; ++i)
      all[i] = i;
    gate_.enter(lane, [this, ticket, lane, all = std::move(all)] { begin(ticket, lane, all, 1); });
  }

  void on_return(std::size_t, sdk::Batch batch) override {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto part = Parts::take(batch, i);
      const auto found = works_.find(part.join);
      if (found == works_.end())
        continue;
      auto& record = found->second.records[part.index];
      record.result = std::move(batch[i]);
      record.result.detach(block_.span);
      if (block_.options.timeout)
        TimeMark::take_off(record.result);
      record.returned = true;
      one_less(part.join);
    }
  }

  void on_timer(std::uint64_t token) override {
    if (const auto delayed = delayed_.find(token); delayed != delayed_.end()) {
      auto again = std::move(delayed->second);
      delayed_.erase(delayed);
      again();
    } else if (const auto work = works_.find(token);
               work != works_.end() && !work->second.committing) {
      work->second.mark.end();
      give_up(token,
              sdk::Error{sdk::ErrorKind::timeout, "the transaction took longer than its timeout"},
              false);
    }
  }

private:
  struct Open {
    HeldBatch held;
    std::uint32_t away = 0;               // records that have not come to their end here
    std::deque<std::uint32_t> singles{};  // of a failed batch: records to be run one by one
  };

  struct Work {
    Ticket ticket = 0;
    std::uint64_t lane = 0;
    std::uint32_t tries = 1;
    std::optional<SessionHandle> session;  // none: its group has been committed
    std::vector<BlockRecord> records;
    std::size_t open = 0;
    bool committing = false;
    TimeMark mark{};
  };

  void begin(Ticket ticket, std::uint64_t lane, const std::vector<std::uint32_t>& records,
             std::uint32_t tries) {
    if (tickets_.at(ticket).held.batch().stale()) {
      drop(ticket, lane);
      return;
    }
    if (group_.exists())
      begin_group(ticket, lane, records, tries);
    else
      begin_session(ticket, lane, records, tries);
  }

  // One record: `per: batch` makes no group.
  void begin_group(Ticket ticket, std::uint64_t lane, const std::vector<std::uint32_t>& records,
                   std::uint32_t tries) {
    auto statements = group_.statements(tickets_.at(ticket).held.batch()[records.front()]);
    if (!statements) {
      begin_session(ticket, lane, records, tries);
      return;
    }
    database_.execute_batch(std::move(*statements), in_turn(*context_, [this, ticket, lane, records,
                                                                        tries](ExecuteReply reply) {
                              on_group(ticket, lane, records, tries, reply);
                            }));
  }

  void on_group(Ticket ticket, std::uint64_t lane, const std::vector<std::uint32_t>& records,
                std::uint32_t tries, ExecuteReply& reply) {
    const auto end = SpanGroup::end_of(reply);
    if (end == GroupEnd::committed)
      run(ticket, lane, records, tries, std::nullopt, attachment_of(end, reply));
    else if (end == GroupEnd::nothing_happened)
      begin_session(ticket, lane, records, tries);
    else
      fail(ticket, lane, records, tries, *guilty_of(reply));
  }

  void begin_session(Ticket ticket, std::uint64_t lane, const std::vector<std::uint32_t>& records,
                     std::uint32_t tries) {
    database_.begin(pool_options(block_.options, pipeline_, step_),
                    in_turn(*context_, [this, ticket, lane, records,
                                        tries](const sdk::Result<SessionHandle>& session) {
                      if (session)
                        run(ticket, lane, records, tries, *session,
                            std::make_unique<SessionAttachment>(*session, nullptr));
                      else
                        fail(ticket, lane, records, tries, session.error());
                    }));
  }

  void run(Ticket ticket, std::uint64_t lane, const std::vector<std::uint32_t>& records,
           std::uint32_t tries, std::optional<SessionHandle> session,
           std::unique_ptr<sdk::Attachment> transaction) {
    const auto id = next_id_++;
    auto& whole = tickets_.at(ticket).held.batch();
    Work work{ticket, lane, tries, session, {}, records.size()};
    if (block_.options.timeout)
      work.mark = TimeMark::make();
    sdk::Batch out{whole.lane(), whole.attempt()};
    auto ack = parts_->open(whole, id, static_cast<std::uint32_t>(records.size()));
    for (const auto index : records) {
      auto copy = whole[index].copy();
      copy.share_attachments(whole[index]);
      copy.attach(block_.span, transaction->share());
      work.mark.put_on(copy);
      out.add(std::move(copy), ack.split(1));
      work.records.push_back({.index = index, .result = {}, .returned = false, .left = {}});
    }
    works_.emplace(id, std::move(work));
    if (block_.options.timeout)
      context_->after(*block_.options.timeout, id);
    context_->send(0, std::move(out));
  }

  void on_news(const PartsNews& news) {
    const auto found = works_.find(news.join);
    if (found == works_.end())
      return;
    if (news.lost) {
      const auto ticket = found->second.ticket;
      const auto lane = found->second.lane;
      works_.erase(found);  // rolls back
      drop(ticket, lane);
      return;
    }
    for (const auto& settled : news.settled) {
      for (std::uint32_t i = 0; i < settled.count; ++i)
        found->second.records[settled.first + i].left = settled;
      found->second.open -= settled.count - 1;
      one_less(news.join);
      if (!works_.contains(news.join))
        return;
    }
  }

  void one_less(std::uint64_t id) {
    auto& work = works_.at(id);
    if (--work.open > 0)
      return;
    const bool all_returned = std::ranges::all_of(work.records, &BlockRecord::returned);
    if (!all_returned) {
      roll_back(id);
      return;
    }
    work.committing = true;  // from here on only the server knows
    if (!work.session) {
      committed(id);
      return;
    }
    if (block_.of_request && undo_refused(id))
      return;
    work.session->commit(in_turn(*context_, [this, id](const sdk::Status& status) {
      if (!works_.contains(id))
        return;
      if (status)
        committed(id);
      else
        give_up(id, status.error(), true);
    }));
  }

  /// A request that is answered an error, or that nobody waits for, has changed nothing.
  bool undo_refused(std::uint64_t id) {
    const auto& work = works_.at(id);
    const auto verdict = tickets_.at(work.ticket).held.batch().lane()->verdict();
    if (verdict == sdk::Lane::Verdict::keep)
      return false;
    const bool abandoned = verdict == sdk::Lane::Verdict::abandoned;
    work.session->rollback(in_turn(*context_, [this, id, abandoned](const sdk::Status&) {
      if (!works_.contains(id))
        return;
      if (abandoned)
        give_up(id, sdk::Error{sdk::ErrorKind::cancelled, "nobody waits for the answer any more"},
                true);
      else
        committed(id);
    }));
    return true;
  }

  void committed(std::uint64_t id) {
    auto work = std::move(works_.extract(id).mapped());
    auto& held = tickets_.at(work.ticket).held;
    for (auto& record : work.records) {
      if (step_.output != sdk::no_slot)
        record.result.set(step_.output, record.result.get(block_.steps.result));
      put_back(held.batch()[record.index], std::move(record.result), spans_);
    }
    finish_records(work.ticket, work.lane, static_cast<std::uint32_t>(work.records.size()));
  }

  /// Not all came through: nothing of it happens. A record that was dropped on purpose stays
  /// dropped.
  void roll_back(std::uint64_t id) {
    if (!works_.at(id).session) {  // too late for its group
      rolled_back(std::move(works_.extract(id).mapped()));
      return;
    }
    works_.at(id).session->rollback(in_turn(*context_, [this, id](const sdk::Status&) {
      if (works_.contains(id))
        rolled_back(std::move(works_.extract(id).mapped()));
    }));
  }

  void rolled_back(Work work) {
    if (work.records.size() > 1) {  // `per: batch`: record by record, so that each has its own end
      for (const auto& record : work.records)
        tickets_.at(work.ticket).singles.push_back(record.index);
      finish_records(work.ticket, work.lane, 0);
      return;
    }
    auto& left = *work.records.front().left;
    if (left.outcome == sdk::Outcome::failed && left.failure && !left.failure->stop) {
      fail(work.ticket, work.lane, {work.records.front().index}, work.tries, left.failure->error);
      return;
    }
    tickets_.at(work.ticket).held.settle(work.records.front().index, left);
    finish_records(work.ticket, work.lane, 1);
  }

  /// The transaction itself failed. @param over the session has ended by itself.
  void give_up(std::uint64_t id, const sdk::Error& error, bool over) {
    auto work = std::move(works_.extract(id).mapped());
    if (!over && work.session)
      work.session->rollback([](const sdk::Status&) {});
    std::vector<std::uint32_t> records;
    for (const auto& record : work.records)
      records.push_back(record.index);
    fail(work.ticket, work.lane, records, work.tries, error);
  }

  static bool may_run_again(const sdk::Error& error) {
    if (error.outcome_unknown())
      return false;
    return error.code() == "40001" || error.code() == "40P01"
           || ((error.kind() == sdk::ErrorKind::connection
                || error.kind() == sdk::ErrorKind::transaction)
               && error.retryable());
  }

  void fail(Ticket ticket, std::uint64_t lane, const std::vector<std::uint32_t>& records,
            std::uint32_t tries, const sdk::Error& error) {
    if (may_run_again(error) && tries < retry_.attempts) {
      const auto token = next_id_++;
      delayed_.emplace(token, [this, ticket, lane, records, tries] {
        tickets_.at(ticket).held.batch().lane()->begin_again();
        begin(ticket, lane, records, tries + 1);
      });
      context_->after(sdk::Backoff{retry_.base, retry_.cap}.wait(tries, jitter_), token);
      return;
    }
    for (const auto index : records)
      tickets_.at(ticket).held.fail(index, error.with_attempts(tries));
    finish_records(ticket, lane, static_cast<std::uint32_t>(records.size()));
  }

  /// The lane is stale: all of it comes again.
  void drop(Ticket ticket, std::uint64_t lane) {
    const auto found = tickets_.find(ticket);
    auto held = std::move(found->second.held);
    tickets_.erase(found);
    gate_.leave(lane);
    held.drop(*context_);
  }

  /// So many records have come to their end; the lane goes on with what is left of the batch, or
  /// with the next one.
  void finish_records(Ticket ticket, std::uint64_t lane, std::uint32_t count) {
    const auto found = tickets_.find(ticket);
    auto& open = found->second;
    open.away -= count;
    if (!open.singles.empty()) {
      const auto next = open.singles.front();
      open.singles.pop_front();
      begin(ticket, lane, {next}, 1);
      return;
    }
    auto held = std::move(open.held);
    tickets_.erase(found);
    gate_.leave(lane);
    held.give_back(*context_);
  }

  const dsl::StepProgram& step_;
  const dsl::TransactionBlock& block_;
  const dsl::PipelineProgram& pipeline_;
  SpanGroup group_;
  const DatabaseHandle& database_;
  Jitter jitter_;
  dsl::RetryPolicy retry_;
  LaneGate gate_;
  std::uint32_t spans_;  // of the pipeline
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  std::unordered_map<Ticket, Open> tickets_;
  std::unordered_map<std::uint64_t, Work> works_;  // by join
  std::unordered_map<std::uint64_t, std::function<void()>> delayed_;
  std::uint64_t next_id_ = 1;
};

}  // namespace

StagePtr make_transaction_stage(const dsl::StepProgram& step, const dsl::TransactionBlock& block,
                                const StageEnv& env) {
  return std::make_unique<TransactionStage>(step, block, env);
}

}  // namespace millrace::actors
