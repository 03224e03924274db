// The block of `delivery: exactly-once` on a database: each run is a transaction, in which the
// lane's offset moves too. Where all statements are known beforehand it is one round trip; else the
// records go through the nested steps with a session.
#include "actors/db/database_handle.hpp"
#include "actors/sources/offset_table.hpp"
#include "actors/steps/database_result.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/in_turn.hpp"
#include "actors/steps/once_stage.hpp"
#include "actors/steps/session_attachment.hpp"
#include "actors/steps/session_runs.hpp"
#include "actors/steps/span_group.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class ExactlyOnceStage final : public OnceStage {
public:
  ExactlyOnceStage(const dsl::StepProgram& step, const dsl::TransactionBlock& block,
                   const StageEnv& env)
    : OnceStage{step, env},
      block_{block},
      group_{*env.pipeline, block.span, *env.program},
      database_{(*env.databases)[block.server]},
      offsets_{env.pipeline->source.exactly_once->table, database_} {}

  sdk::Status start(StageContext& context) override {
    runs_.emplace(context, block_.span,
                  [this](const SessionRuns::Ended& ended) { end_run(ended); });
    auto prepared = group_.prepare();
    return prepared ? OnceStage::start(context) : prepared;
  }

  void on_return(std::size_t, sdk::Batch batch) override { runs_->on_return(std::move(batch)); }

private:
  void run(Ticket ticket) override {
    if (group_.exists())
      run_group(ticket);
    else
      run_nested(ticket);
  }

  // --- all statements are known: one round trip

  void run_group(Ticket ticket) {
    auto& run = work(ticket);
    std::vector<sdk::Statement> statements;
    for (std::size_t i = 0; i < run.count; ++i) {
      auto made = group_.statements(run.batch[i]);
      if (!made && i == 0) {
        fail_first(ticket, made.error());
        return;
      }
      if (!made) {
        run.count = i;
        break;
      }
      for (auto& one : *made) {
        if (!statements.empty() && statements.back().sql == one.sql)
          statements.back().sets.push_back(std::move(one.sets.front()));
        else
          statements.push_back(std::move(one));
      }
    }
    for (auto& one : statements)
      one.options.idempotent = false;
    statements.push_back(move_offset(ticket));
    database_.execute_batch(
      std::move(statements),
      in_turn(context(), [this, ticket](ExecuteReply reply) { on_group(ticket, reply); }));
  }

  void on_group(Ticket ticket, ExecuteReply& reply) {
    const auto* guilty = guilty_of(reply);
    const auto& moved = reply.results.back();
    if (guilty && !moved && &moved.error() == guilty)
      refused(ticket, *guilty);
    else if (guilty)
      failed(ticket, *guilty);
    else if (moved->rowcount == 1)
      committed(ticket);
    else
      fence(ticket, "the row of its offset is gone");
  }

  // --- in a session, through the nested steps

  void run_nested(Ticket ticket) {
    database_.begin(pool_options(block_.options, pipeline(), step()),
                    in_turn(context(), [this, ticket](const sdk::Result<SessionHandle>& session) {
                      if (session)
                        runs_->send(work(ticket).batch, work(ticket).count, ticket, *session);
                      else
                        failed(ticket, session.error());
                    }));
  }

  void end_run(const SessionRuns::Ended& ended) {
    if (!ended.session) {
      drop(ended.ticket);
    } else if (!ended.bad) {
      commit(ended.ticket, *ended.session);
    } else {
      ended.session->rollback(
        in_turn(context(), [this, ticket = ended.ticket, bad = *ended.bad](const sdk::Status&) {
          undone(ticket, bad.first, bad.second);
        }));
    }
  }

  // Those before the guilty one go first, then it goes alone.
  void undone(Ticket ticket, std::size_t index, const sdk::Settled& how) {
    auto& run = work(ticket);
    if (run.count > 1) {
      again_with(ticket, index);
    } else if (how.outcome == sdk::Outcome::failed && how.failure && !how.failure->stop) {
      failed(ticket, how.failure->error);
    } else if (how.outcome == sdk::Outcome::failed && how.failure) {
      run.batch.split(1).take_ack(0).fail(how.failure);
      next(ticket);
    } else {
      run.batch.split(1).settle(how.outcome);
      next(ticket);
    }
  }

  void commit(Ticket ticket, const SessionHandle& session) {
    session.execute(move_offset(ticket),
                    in_turn(context(), [this, ticket, session](const ExecuteReply& reply) {
                      const auto& moved = reply.results.front();
                      if (!moved || moved->rowcount != 1) {
                        session.rollback([](const sdk::Status&) {});
                        if (moved)
                          fence(ticket, "the row of its offset is gone");
                        else
                          refused(ticket, moved.error());
                        return;
                      }
                      session.commit(in_turn(context(), [this, ticket](const sdk::Status& done) {
                        if (done)
                          committed(ticket);
                        else
                          failed(ticket, done.error());
                      }));
                    }));
  }

  // --- the offset

  sdk::Statement move_offset(Ticket ticket) {
    const auto& run = work(ticket);
    return offsets_.advance(ledger(run), end_of(run));
  }

  void refused(Ticket ticket, const sdk::Error& error) {
    if (OffsetTable::refused(error))
      ask_offset(ticket);
    else
      failed(ticket, error);
  }

  // Our epoch is over, or an earlier try was committed without our hearing of it.
  void ask_offset(Ticket ticket) {
    offsets_.read(
      ledger(work(ticket)).key(),
      in_turn(context(), [this, ticket](const sdk::Result<std::optional<sdk::OffsetClaim>>& found) {
        on_offset(ticket, found);
      }));
  }

  void on_offset(Ticket ticket, const sdk::Result<std::optional<sdk::OffsetClaim>>& found) {
    auto& mine = ledger(work(ticket));
    if (!found) {
      failed(ticket, found.error());
    } else if (!*found || (*found)->epoch != mine.epoch()) {
      fence(ticket, *found ? "another process has taken it over" : "the row of its offset is gone");
    } else if ((*found)->next < mine.next()) {
      fence(ticket, "the database has lost what it had committed");
    } else if ((*found)->next == mine.next()) {
      failed(ticket, {sdk::ErrorKind::transaction, "the offset did not move", {.retryable = true}});
    } else {
      mine.advance((*found)->next);
      next(ticket);
    }
  }

  const dsl::TransactionBlock& block_;
  SpanGroup group_;
  const DatabaseHandle& database_;
  OffsetTable offsets_;
  std::optional<SessionRuns> runs_;
};

}  // namespace

StagePtr make_exactly_once_stage(const dsl::StepProgram& step, const dsl::TransactionBlock& block,
                                 const StageEnv& env) {
  return std::make_unique<ExactlyOnceStage>(step, block, env);
}

}  // namespace millrace::actors
