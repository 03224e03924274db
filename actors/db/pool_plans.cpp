// Where a statement runs, and what the catalog is asked about it.
#include "actors/db/pool_core.hpp"
#include "connectors/sdk/sql/traces.hpp"

#include <utility>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr auto traces_hold = 60s;  // functions and triggers are made anew now and then

}  // namespace

void PoolCore::place(Request& request, sdk::Instant now) {
  if (request.urgent || request.internal) {
    request.plan = plans_.find(request.statements.front()->sql);
    request.place = limits_.inspector ? Place::reads : Place::writes;
    return;
  }
  for (const auto& statement : request.statements) {
    const auto plan = plans_.find(statement->sql);
    if (!request.plan)
      request.plan = plan;
    if (!plan->refusal())
      continue;
    const auto kept = open_.find(request.id)->second;
    kept->todo.clear();
    for (auto& item : kept->items)
      item.result = *plan->refusal();
    complete(kept);
    return;
  }
  // A batch of several statements is a transaction of its own making.
  request.place = request.atomic && limits_.inspector ? Place::exclusive : request.plan->place(now);
}

// Nothing runs before it is known whether it may run beside others: the first of a kind waits for
// one answer of the catalog.
void PoolCore::hold(const RequestPtr& request, sdk::Instant now) {
  held_.push_back(request);
  request->retrying = true;
  if (const auto key = keys_.find(request->statements.front()->options.order_key);
      key != keys_.end())
    ++key->second.retrying;
  inspect(request->plan, request->statements.front(), request->backlog, now);
}

void PoolCore::inspect(const PlanPtr& plan, const std::shared_ptr<const sdk::Statement>& statement,
                       bool backlog, sdk::Instant now) {
  if (!plan->wants_inspection(now))
    return;
  plan->asking();
  ++inspecting_;
  std::vector<sdk::Statement> question;
  question.push_back(limits_.inspector->inspection(plan->words().names, plan->words().operators));
  question.front().options.idempotent = true;
  auto request = std::make_shared<Request>(
    std::move(question), false, [this, plan](ExecuteReply reply) {
      // Within the pool's own doings: it is looked at when they are done.
      inspected_.push_back({plan, std::move(reply.results.front())});
    });
  request->urgent = true;
  request->internal = true;
  request->backlog = backlog;
  request->about = statement;
  accept(request, now);
}

// What sessions have run and nobody knows: whether it leaves something behind in its connection.
void PoolCore::trace_statements(sdk::Instant now) {
  if (!limits_.clean || !limits_.inspector || down_ || draining_)
    return;
  for (const auto& sql : limits_.clean->take_wanted()) {
    const auto plan = plans_.find(sql);
    if (plan->wants_inspection(now))
      inspect(plan, std::make_shared<const sdk::Statement>(sdk::Statement{.sql = sql}), true, now);
    else
      learn_traces(*plan, now);
  }
}

void PoolCore::learn_traces(const StatementPlan& plan, sdk::Instant now) {
  if (limits_.clean)
    limits_.clean->learn(*plan.sql(),
                         {.leaves_nothing = !plan.leaves_traces(), .writes = !plan.words().reads},
                         now + traces_hold);
}

void PoolCore::take_inspections(sdk::Instant now) {
  for (auto& [plan, found] : std::exchange(inspected_, {})) {
    --inspecting_;
    if (found)
      plan->inspected(limits_.inspector->read(*found), now);
    else
      plan->inspection_failed(found.error().code(), now);
    learn_traces(*plan, now);
    std::vector<RequestPtr> held;
    for (auto& request : std::exchange(held_, {})) {
      if (request->plan != plan) {
        held_.push_back(std::move(request));
        continue;
      }
      end_retry(request);
      // Where the server is away they fail as all others did that had come before.
      if (down_) {
        fail_unsent(request, down_error(now));
        complete(request);
        continue;
      }
      request->place = plan->place(now);
      requeue(request, now);
    }
  }
}

// Whether what goes out may leave something behind in its connection. What the catalog has not said
// yet is asked, for the next time.
bool PoolCore::leaves_traces(const Group& group, sdk::Instant now) {
  if (resets_.empty() || limits_.inspector == nullptr || group.use != sdk::ConnectionUse::exclusive
      || group.members.empty())
    return false;
  const auto& request = *group.members.front().request;
  if (request.urgent || request.internal)
    return false;
  bool found = false;
  for (const auto& statement : request.statements) {
    const auto plan = plans_.find(statement->sql);
    found = found || plan->leaves_traces();
    if (plan->wants_inspection(now))
      inspect(plan, statement, request.backlog, now);
  }
  return found;
}

WhyNot PoolCore::why_alone(const Request& request) const {
  if (request.urgent || request.internal)
    return WhyNot::own;
  if (request.atomic)
    return WhyNot::transaction;
  const bool batching = limits_.batching && request.statements.front()->options.batching;
  if (limits_.inspector != nullptr && !batching)
    return WhyNot::off;
  if (const auto refusal = request.plan->refusal_of(Way::shared, now_))
    return refusal.kind;
  // It began where others are, and was moved.
  return request.place == Place::exclusive ? WhyNot::slow : WhyNot::nobody_else;
}

std::vector<StatementInfo> PoolCore::statements(sdk::Instant now) const {
  constexpr std::size_t most = 32;
  std::vector<StatementInfo> found;
  const bool off = limits_.inspector != nullptr && !limits_.batching;
  const auto why_not = [&](const StatementPlan& plan, Way way) {
    return off ? std::string{to_string(WhyNot::off)} : plan.why_not(way, now);
  };
  for (const auto& plan : plans_.busiest(most))
    found.push_back({.sql = sdk::sql::without_values(*plan->sql()),
                     .by_way = plan->runs,
                     .not_shared = why_not(*plan, Way::shared),
                     .not_in_set = why_not(*plan, Way::set)});
  return found;
}

}  // namespace millrace::actors::db
