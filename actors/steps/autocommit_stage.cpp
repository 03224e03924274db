// SQL outside a transaction: each batch of records is one message with their parameter sets to the
// pool, and its answers come back as one message.
#include "actors/db/database_handle.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/held_batch.hpp"
#include "actors/steps/in_turn.hpp"
#include "actors/steps/statement_maker.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

/// Records of a batch that run the same text on the same server.
struct Group {
  std::size_t server = 0;
  const BoundSql* text = nullptr;
  std::vector<std::uint32_t> records;
  std::vector<sdk::Parameters> sets;
};

class AutocommitStage final : public Stage {
public:
  AutocommitStage(const dsl::StepProgram& step, const dsl::DatabaseCall& call, const StageEnv& env)
    : step_{step}, call_{call}, maker_{call, *env.program}, databases_{*env.databases} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return maker_.prepare();
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto order_key = call_.read_only || !step_.ordered ? 0 : batch.lane()->id() + 1;
    Work work{HeldBatch{std::move(batch), ticket}, 0};
    auto groups = group(work.held);
    work.open = groups.size();
    if (groups.empty()) {
      work.held.give_back(*context_);
      return;
    }
    works_.emplace(ticket, std::move(work));
    for (auto& one : groups)
      run(std::move(one), ticket, order_key);
  }

private:
  struct Work {
    HeldBatch held;
    std::size_t open = 0;  // groups that have no answer yet
  };

  std::vector<Group> group(HeldBatch& held) {
    std::vector<Group> groups;
    const auto& batch = held.batch();
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      auto server = maker_.server_of(batch[i]);
      auto made = server ? maker_.make(*server, 0, batch[i]) : server.error();
      if (!made) {
        held.fail(i, std::move(made).error());
        continue;
      }
      auto same = std::ranges::find_if(
        groups, [&](const Group& one) { return one.text == made->text && one.server == *server; });
      if (same == groups.end()) {
        groups.push_back({.server = *server, .text = made->text, .records = {}, .sets = {}});
        same = std::prev(groups.end());
      }
      same->records.push_back(i);
      same->sets.push_back(std::move(made->parameters));
    }
    return groups;
  }

  void run(Group one, Ticket ticket, std::uint64_t order_key) {
    sdk::Statement statement;
    statement.sql = one.text->sql();
    statement.sets = std::move(one.sets);
    statement.options.timeout = step_.timeout;
    statement.options.secret = call_.secret;
    statement.options.read_only = call_.read_only;
    statement.options.idempotent = call_.idempotent;
    statement.options.order_key = order_key;
    statement.options.batching = call_.batching;
    databases_[one.server].execute(
      std::move(statement),
      in_turn(*context_, [this, ticket, records = std::move(one.records)](ExecuteReply reply) {
        on_reply(ticket, records, reply);
      }));
  }

  void on_reply(Ticket ticket, const std::vector<std::uint32_t>& records, ExecuteReply& reply) {
    const auto found = works_.find(ticket);
    if (found == works_.end())
      return;
    auto& work = found->second;
    for (std::size_t i = 0; i < records.size(); ++i) {
      auto& result = reply.results[i];
      if (!result)
        work.held.fail(records[i], maker_.shown(std::move(result).error()));
      else if (step_.output != sdk::no_slot)
        work.held.batch()[records[i]].set(step_.output, result->to_value());
    }
    if (--work.open > 0)
      return;
    auto held = std::move(work.held);
    works_.erase(found);
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

StagePtr make_autocommit_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                               const StageEnv& env) {
  return std::make_unique<AutocommitStage>(step, call, env);
}

}  // namespace millrace::actors
