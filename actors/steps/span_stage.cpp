// The steps of a flat span, `beginSql … commitSql`: the first opens a transaction for each record,
// one record of a lane at a time; the others run in it; the last ends it. Records come one by one
// and are never put together in between. A span that goes out as one group has all its results when
// it begins.
#include "actors/db/database_handle.hpp"
#include "actors/steps/batch_statements.hpp"
#include "actors/steps/copy_rows.hpp"
#include "actors/steps/database_result.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/in_turn.hpp"
#include "actors/steps/lane_gate.hpp"
#include "actors/steps/session_attachment.hpp"
#include "actors/steps/span_group.hpp"
#include "actors/steps/statement_maker.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

using dsl::DatabaseOperation;

class SpanStage final : public Stage {
public:
  SpanStage(const dsl::StepProgram& step, const dsl::DatabaseCall& call, const StageEnv& env)
    : step_{step},
      call_{call},
      maker_{call, *env.program},
      pipeline_{*env.pipeline},
      group_{*env.pipeline, call.span, *env.program},
      database_{(*env.databases)[call.server]},
      gate_{!step.ordered} {}

  StageTraits traits() const noexcept override { return {.one_by_one = true, .retries = false}; }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    auto prepared = group_.prepare();
    return prepared ? maker_.prepare() : prepared;
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto lane = batch.lane()->id();
    works_.emplace(ticket, Work{std::move(batch)});
    if (call_.opens_span)
      gate_.enter(lane, [this, ticket, lane] { begin(ticket, lane); });
    else
      run(ticket);
  }

private:
  struct Work {
    sdk::Batch batch;  // one record
    // of executeBatch
    std::vector<sdk::Statement> statements{};
    std::size_t next = 0;
    ExecuteReply replies{};
  };

  void begin(Ticket ticket, std::uint64_t lane) {
    if (works_.at(ticket).batch.stale()) {
      gate_.leave(lane);
      give_back(ticket, {});
      return;
    }
    auto statements = group_.statements(works_.at(ticket).batch[0]);
    if (!group_.exists() || !statements) {
      begin_session(ticket, lane);
      return;
    }
    database_.execute_batch(std::move(*statements),
                            in_turn(*context_, [this, ticket, lane](ExecuteReply reply) {
                              on_group(ticket, lane, reply);
                            }));
  }

  void on_group(Ticket ticket, std::uint64_t lane, ExecuteReply& reply) {
    const auto end = SpanGroup::end_of(reply);
    if (end == GroupEnd::nothing_happened) {
      begin_session(ticket, lane);
      return;
    }
    gate_.leave(lane);
    if (end == GroupEnd::not_begun) {
      give_back(ticket, *guilty_of(reply));
      return;
    }
    works_.at(ticket).batch[0].attach(call_.span, attachment_of(end, reply));
    run(ticket);
  }

  void begin_session(Ticket ticket, std::uint64_t lane) {
    database_.begin(
      pool_options(call_.transaction, pipeline_, step_),
      in_turn(*context_, [this, ticket, lane](const sdk::Result<SessionHandle>& session) {
        on_begun(ticket, lane, session);
      }));
  }

  void on_begun(Ticket ticket, std::uint64_t lane, const sdk::Result<SessionHandle>& session) {
    if (!session) {
      gate_.leave(lane);
      give_back(ticket, session.error());
      return;
    }
    auto ended = [post = context_->post(), this, lane] {
      post([this, lane] { gate_.leave(lane); });
    };
    works_.at(ticket).batch[0].attach(
      call_.span, std::make_unique<SessionAttachment>(*session, std::move(ended)));
    run(ticket);
  }

  void run(Ticket ticket) {
    auto& record = works_.at(ticket).batch[0];
    if (const auto* results = group_of(record, call_.span)) {
      take(ticket, *results);
      return;
    }
    const auto* session = session_of(record, call_.span);
    if (!session) {
      give_back(ticket, sdk::Error{sdk::ErrorKind::transaction,
                                   "no transaction is open here for this record",
                                   {.hint = "a `when` or a branch passed its begin by"}});
      return;
    }
    switch (call_.operation) {
    case DatabaseOperation::execute:
      execute(ticket, *session);
      return;
    case DatabaseOperation::execute_batch:
      execute_batch(ticket, *session);
      return;
    case DatabaseOperation::copy_in:
      copy(ticket, *session);
      return;
    case DatabaseOperation::begin:
      answer(ticket, sdk::Value{});
      return;
    case DatabaseOperation::check:
      answer(ticket, sdk::Value::object({{"status", "healthy"}}));
      return;
    case DatabaseOperation::savepoint:
      session->savepoint(call_.savepoint, done(ticket, "SAVEPOINT", false));
      return;
    case DatabaseOperation::rollback_to:
      session->rollback_to(call_.savepoint, done(ticket, "ROLLBACK", false));
      return;
    case DatabaseOperation::commit:
      session->commit(done(ticket, "COMMIT", true));
      return;
    case DatabaseOperation::rollback:
      session->rollback(done(ticket, "ROLLBACK", true));
      return;
    }
  }

  /// This step's part of what the group gave.
  void take(Ticket ticket, const GroupAttachment::Results& results) {
    const auto first = group_.offset_of(step_);
    switch (call_.operation) {
    case DatabaseOperation::execute:
      answer(ticket, results.unknown ? sdk::Value{} : results.all[first]->to_value());
      return;
    case DatabaseOperation::execute_batch: {
      ExecuteReply mine;
      for (std::size_t i = 0; !results.unknown && i < maker_.count(); ++i)
        mine.results.push_back(results.all[first + i]);
      answer(ticket, results.unknown ? sdk::Value{} : *batch_result(mine));
      return;
    }
    case DatabaseOperation::check:
      answer(ticket, sdk::Value::object({{"status", "healthy"}}));
      return;
    case DatabaseOperation::commit: {
      const auto unknown = results.unknown;
      works_.at(ticket).batch[0].detach(call_.span);
      if (unknown)
        give_back(ticket, *unknown);
      else
        answer(ticket, sdk::Value::object({{"command", "COMMIT"}}));
      return;
    }
    default:
      answer(ticket, {});
    }
  }

  void execute(Ticket ticket, const SessionHandle& session) {
    auto made = maker_.make(call_.server, 0, works_.at(ticket).batch[0]);
    if (!made) {
      give_back(ticket, std::move(made).error());
      return;
    }
    sdk::Statement statement;
    statement.sql = made->text->sql();
    statement.sets = {std::move(made->parameters)};
    send(ticket, session, std::move(statement),
         [this, ticket](ExecuteReply reply) { answer(ticket, reply.results.front()->to_value()); });
  }

  // One after the other; the first that fails ends it.
  void execute_batch(Ticket ticket, const SessionHandle& session) {
    auto& work = works_.at(ticket);
    if (work.statements.empty()) {
      auto made = batch_statements(maker_, call_, call_.server, work.batch[0]);
      if (!made || made->empty()) {
        give_back_batch(ticket, made ? sdk::Status{} : sdk::Status{made.error()});
        return;
      }
      work.statements = std::move(*made);
    }
    send(ticket, session, std::move(work.statements[work.next]),
         [this, ticket](ExecuteReply reply) {
           auto& done = works_.at(ticket);
           std::ranges::move(reply.results, std::back_inserter(done.replies.results));
           if (++done.next == done.statements.size())
             give_back_batch(ticket, {});
           else
             run(ticket);
         });
  }

  void give_back_batch(Ticket ticket, const sdk::Status& status) {
    auto result = status ? batch_result(works_.at(ticket).replies) : status.error();
    if (result)
      answer(ticket, std::move(*result));
    else
      give_back(ticket, std::move(result).error());
  }

  void copy(Ticket ticket, const SessionHandle& session) {
    auto rows = rows_of(*call_.copy, works_.at(ticket).batch[0]);
    if (!rows) {
      give_back(ticket, std::move(rows).error());
      return;
    }
    const auto count = rows->size();
    if (count == 0) {
      answer(ticket, copy_result(0));
      return;
    }
    auto statement = copy_statement(*call_.copy, std::make_shared<const CopyRows>(std::move(*rows)),
                                    0, count);
    send(ticket, session, std::move(statement),
         [this, ticket, count](const ExecuteReply&) { answer(ticket, copy_result(count)); });
  }

  /// Goes on with `then` where every result is good; else the record has failed.
  void send(Ticket ticket, const SessionHandle& session, sdk::Statement statement,
            std::function<void(ExecuteReply)> then) {
    statement.options.timeout = step_.timeout;
    statement.options.secret = call_.secret;
    session.execute(std::move(statement),
                    in_turn(*context_, [this, ticket, then = std::move(then)](ExecuteReply reply) {
                      const auto bad = std::ranges::find_if(
                        reply.results, [](const auto& result) { return !result; });
                      if (bad == reply.results.end())
                        then(std::move(reply));
                      else
                        give_back(ticket, maker_.shown(bad->error()));
                    }));
  }

  /// Ends `ticket` when the session has done it. @param ends the record lets go of its transaction.
  SessionHandle::Done done(Ticket ticket, const char* command, bool ends) {
    return in_turn(*context_, [this, ticket, command, ends](const sdk::Status& status) {
      if (ends)
        works_.at(ticket).batch[0].detach(call_.span);
      if (status)
        answer(ticket, sdk::Value::object({{"command", command}}));
      else
        give_back(ticket, status.error());
    });
  }

  void answer(Ticket ticket, sdk::Value output) {
    if (step_.output != sdk::no_slot)
      works_.at(ticket).batch[0].set(step_.output, std::move(output));
    give_back(ticket, {});
  }

  void give_back(Ticket ticket, std::optional<sdk::Error> error) {
    auto work = std::move(works_.extract(ticket).mapped());
    std::vector<sdk::Failure> failures;
    if (error)
      failures.push_back({0, std::move(*error)});
    context_->done(ticket, std::move(work.batch), std::move(failures));
  }

  const dsl::StepProgram& step_;
  const dsl::DatabaseCall& call_;
  StatementMaker maker_;
  const dsl::PipelineProgram& pipeline_;
  SpanGroup group_;
  const DatabaseHandle& database_;
  LaneGate gate_;
  StageContext* context_ = nullptr;
  std::unordered_map<Ticket, Work> works_;
};

}  // namespace

StagePtr make_span_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                         const StageEnv& env) {
  return std::make_unique<SpanStage>(step, call, env);
}

}  // namespace millrace::actors
