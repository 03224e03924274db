// executeBatch and dbConnection outside a transaction: one request per record.
#include "actors/db/database_handle.hpp"
#include "actors/steps/batch_statements.hpp"
#include "actors/steps/database_result.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/held_batch.hpp"
#include "actors/steps/in_turn.hpp"
#include "actors/steps/statement_maker.hpp"

#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class PerRecordStage final : public Stage {
public:
  PerRecordStage(const dsl::StepProgram& step, const dsl::DatabaseCall& call, const StageEnv& env)
    : step_{step}, call_{call}, maker_{call, *env.program}, databases_{*env.databases} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return maker_.prepare();
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto count = static_cast<std::uint32_t>(batch.size());
    works_.emplace(ticket, Work{HeldBatch{std::move(batch), ticket}, count});
    for (std::uint32_t i = 0; i < count; ++i) {
      auto server = maker_.server_of(works_.at(ticket).held.batch()[i]);
      if (!server)
        answer(ticket, i, std::move(server).error());
      else if (call_.operation == dsl::DatabaseOperation::check)
        check(*server, ticket, i);
      else
        run(*server, ticket, i);
    }
  }

private:
  struct Work {
    HeldBatch held;
    std::size_t open = 0;
  };

  void run(std::size_t server, Ticket ticket, std::uint32_t index) {
    auto statements = batch_statements(maker_, call_, server,
                                       works_.at(ticket).held.batch()[index]);
    if (!statements || statements->empty()) {
      answer(ticket, index,
             statements ? batch_result(ExecuteReply{}) : std::move(statements).error());
      return;
    }
    for (auto& statement : *statements) {
      statement.options.timeout = step_.timeout;
      statement.options.secret = call_.secret;
    }
    databases_[server].execute_batch(
      std::move(*statements), in_turn(*context_, [this, ticket, index](ExecuteReply reply) {
        auto result = batch_result(reply);
        answer(ticket, index, result ? std::move(result) : maker_.shown(result.error()));
      }));
  }

  void check(std::size_t server, Ticket ticket, std::uint32_t index) {
    databases_[server].health(in_turn(*context_, [this, ticket, index](const HealthReport& report) {
      answer(ticket, index, health_result(report));
    }));
  }

  void answer(Ticket ticket, std::uint32_t index, sdk::Result<sdk::Value> result) {
    auto& work = works_.at(ticket);
    if (!result)
      work.held.fail(index, std::move(result).error());
    else if (step_.output != sdk::no_slot)
      work.held.batch()[index].set(step_.output, std::move(*result));
    if (--work.open > 0)
      return;
    auto held = std::move(work.held);
    works_.erase(ticket);
    held.give_back(*context_);
  }

  const dsl::StepProgram& step_;
  const dsl::DatabaseCall& call_;
  StatementMaker maker_;
  const std::vector<DatabaseHandle>& databases_;
  StageContext* context_ = nullptr;
  std::unordered_map<Ticket, Work> works_;
};

}  // namespace

StagePtr make_per_record_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                               const StageEnv& env) {
  return std::make_unique<PerRecordStage>(step, call, env);
}

StagePtr make_database_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                             const StageEnv& env) {
  if (call.span != 0)
    return make_span_stage(step, call, env);
  if (call.stream)
    return make_stream_stage(step, call, env);
  if (call.operation == dsl::DatabaseOperation::copy_in)
    return make_copy_stage(step, call, env);
  if (call.operation == dsl::DatabaseOperation::execute)
    return make_autocommit_stage(step, call, env);
  return make_per_record_stage(step, call, env);
}

}  // namespace millrace::actors
