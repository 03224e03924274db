// The steps of a flat span, `beginSql … commitSql`: the first opens a transaction for each record,
// one record of a lane at a time; the others run in it; the last ends it. Records come one by one
// and are never put together in between. A span that goes out as one group has all its results when
// it begins.
#include "actors/db/database_handle.hpp"
#include "actors/steps/database_result.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/lane_gate.hpp"
#include "actors/steps/session_attachment.hpp"
#include "actors/steps/span_group.hpp"
#include "actors/steps/statement_maker.hpp"

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
    sdk::Batch batch;           // one record
    std::size_t statement = 0;  // of executeBatch: the next one
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
                            [post = context_->post(), this, ticket, lane](ExecuteReply reply) {
                              auto kept = std::make_shared<ExecuteReply>(std::move(reply));
                              post([this, ticket, lane, kept] { on_group(ticket, lane, *kept); });
                            });
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
      [post = context_->post(), this, ticket, lane](sdk::Result<SessionHandle> session) {
        post([this, ticket, lane, session] { on_begun(ticket, lane, session); });
      });
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
    case DatabaseOperation::execute_batch:
      execute(ticket, *session);
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
    auto& work = works_.at(ticket);
    auto made = maker_.make(call_.server, work.statement, work.batch[0]);
    if (!made) {
      give_back(ticket, std::move(made).error());
      return;
    }
    sdk::Statement statement;
    statement.sql = made->text->sql();
    statement.sets = {std::move(made->parameters)};
    statement.options.timeout = step_.timeout;
    statement.options.secret = call_.secret;
    session.execute(
      std::move(statement), [post = context_->post(), this, ticket](ExecuteReply reply) {
        auto kept = std::make_shared<ExecuteReply>(std::move(reply));
        post([this, ticket, kept] { on_executed(ticket, std::move(kept->results.front())); });
      });
  }

  void on_executed(Ticket ticket, sdk::Result<sdk::SqlResult> result) {
    auto& work = works_.at(ticket);
    if (!result) {
      give_back(ticket, maker_.shown(std::move(result).error()));
      return;
    }
    if (call_.operation == DatabaseOperation::execute) {
      answer(ticket, result->to_value());
      return;
    }
    work.replies.results.push_back(std::move(result));
    if (++work.statement == maker_.count())
      answer(ticket, *batch_result(work.replies));
    else
      run(ticket);
  }

  /// Ends `ticket` when the session has done it. @param ends the record lets go of its transaction.
  SessionHandle::Done done(Ticket ticket, const char* command, bool ends) {
    return [post = context_->post(), this, ticket, command, ends](const sdk::Status& status) {
      post([this, ticket, command, ends, status] {
        if (ends)
          works_.at(ticket).batch[0].detach(call_.span);
        if (status)
          answer(ticket, sdk::Value::object({{"command", command}}));
        else
          give_back(ticket, status.error());
      });
    };
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
