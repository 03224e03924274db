#include "dsl/compile/spans.hpp"

#include "dsl/compile/named_server.hpp"
#include "dsl/compile/span_marker.hpp"
#include "dsl/compile/span_support.hpp"
#include "dsl/compile/walk.hpp"

#include <algorithm>
#include <utility>

namespace millrace::dsl {

namespace {

constexpr const char* one_record = "one record has one transaction";
constexpr const char* makes_several = "makes several records of one";

}  // namespace

std::unordered_set<const StepProgram*> SpanMarker::mark() {
  implicit_ = implicit_begins(draft_.program);
  refuse_open(walk(draft_.program.steps, {}));
  walk_error_steps(draft_.program.steps);
  for (const auto& rule : draft_.defaults.rules)
    walk_rule(rule);
  return std::move(inside_);
}

SpanMarker::Open SpanMarker::walk(StepList& steps, Open open) {
  for (auto& step : steps.steps)
    open = visit(*step, std::move(open));
  return open;
}

SpanMarker::Open SpanMarker::visit(StepProgram& step, Open open) {
  if (!open.empty()) {
    inside_.insert(&step);
    check_rules(step, open);
  }
  if (auto* call = std::get_if<DatabaseCall>(&step.body))
    return visit_call(step, *call, std::move(open));
  if (auto* block = std::get_if<TransactionBlock>(&step.body))
    return visit_block(step, *block, std::move(open));
  if (auto* choice = std::get_if<Switch>(&step.body))
    return visit_switch(step, *choice, open);
  if (auto* each = std::get_if<Foreach>(&step.body))
    return visit_foreach(step, *each, std::move(open));
  if (auto* parallel = std::get_if<Parallel>(&step.body)) {
    if (!open.empty())
      refuse_inside(step, open, "cannot run branches", one_record);
    for (auto& [name, branch] : parallel->branches)
      must_match(step, {}, walk(branch, {}), "branch '" + name + "'");
    return open;
  }
  if (std::holds_alternative<Gather>(step.body) && !open.empty())
    refuse_inside(step, open, "cannot gather records",
                  "each would wait for the others with its transaction open");
  if (const auto* call = std::get_if<CallPipeline>(&step.body))
    check_pipeline_call(step, *call, open);
  return open;
}

SpanMarker::Open SpanMarker::visit_call(StepProgram& step, DatabaseCall& call, Open open) {
  if (call.server_name && !open.empty()) {
    refuse(step,
           "the server of '" + step.name + "' is computed, and the transaction of " + names(open)
             + " is open",
           "name the server, or end the transaction before it");
    return open;
  }
  if (call.server == no_server)
    return open;
  if (implicit_.contains(&step) && !open.contains(call.server)) {
    begin(step, call.server, false, true, open);
    call.span = open.at(call.server).id;
    call.opens_span = true;
    return open;
  }
  const auto found = open.find(call.server);
  switch (call.operation) {
  case DatabaseOperation::begin:
    return visit_begin(step, call, std::move(open));
  case DatabaseOperation::commit:
  case DatabaseOperation::rollback:
    return visit_end(step, call, std::move(open));
  case DatabaseOperation::savepoint:
  case DatabaseOperation::rollback_to:
    if (found == open.end()) {
      refuse(step,
             "'" + step.name + "' stands in no transaction of '" + server_name(call.server) + "'",
             "begin one before it");
      return open;
    }
    visit_savepoint(step, call, found->second);
    break;
  default:
    break;
  }
  if (call.stream && !open.empty())
    refuse_inside(step, open, makes_several, one_record, "leave out stream:, or ");
  if (found != open.end())
    call.span = found->second.id;
  return open;
}

SpanMarker::Open SpanMarker::visit_begin(StepProgram& step, DatabaseCall& call, Open open) {
  refuse_condition(step, "begin");
  if (const auto found = open.find(call.server); found != open.end()) {
    refuse_inner(step, call.server, found->second);
    return open;
  }
  begin(step, call.server, false, false, open);
  call.span = open.at(call.server).id;
  call.opens_span = true;
  return open;
}

SpanMarker::Open SpanMarker::visit_end(StepProgram& step, DatabaseCall& call, Open open) {
  const std::string what = call.operation == DatabaseOperation::commit ? "commit" : "roll back";
  refuse_condition(step, what);
  const auto found = open.find(call.server);
  if (found == open.end()) {
    refuse(step,
           "'" + step.name + "' has no transaction on '" + server_name(call.server) + "' to "
             + what,
           in_error_steps_ ? "a failed record's transaction has been rolled back by itself"
                           : "begin one before it with operation: beginSql");
    return open;
  }
  if (found->second.block) {
    refuse(step,
           "'" + step.name + "' cannot " + what + " the transaction of the block '"
             + span_of(found->second).opened_by + "', which ends it itself",
           call.operation == DatabaseOperation::commit ? "leave the step out"
                                                       : "use a step of type fail");
    return open;
  }
  auto& span = span_of(found->second);
  span.closed_by += (span.closed_by.empty() ? "" : ", ") + step.name;
  call.span = found->second.id;
  call.closes_span = true;
  open.erase(found);
  return open;
}

void SpanMarker::visit_savepoint(const StepProgram& step, const DatabaseCall& call,
                                 OpenSpan& open) {
  if (call.operation == DatabaseOperation::savepoint) {
    open.savepoints.insert(call.savepoint);
  } else if (!open.savepoints.contains(call.savepoint)) {
    const std::vector<std::string_view> known{open.savepoints.begin(), open.savepoints.end()};
    refuse(step, "there is no savepoint '" + call.savepoint + "' before '" + step.name + "'",
           sdk::did_you_mean(call.savepoint, known));
  }
}

SpanMarker::Open SpanMarker::visit_block(StepProgram& step, TransactionBlock& block, Open open) {
  if (block.server == no_server) {
    walk(block.steps, open);
    return open;
  }
  if (const auto found = open.find(block.server); found != open.end()) {
    refuse_inner(step, block.server, found->second);
    walk(block.steps, open);
    return open;
  }
  auto inner = open;
  begin(step, block.server, true, false, inner);
  block.span = inner.at(block.server).id;
  span_of(inner.at(block.server)).closed_by = step.name;
  auto after = walk(block.steps, inner);
  after.erase(block.server);
  must_match(step, open, after, "the block");
  return open;
}

SpanMarker::Open SpanMarker::visit_switch(StepProgram& step, Switch& choice, const Open& open) {
  std::vector<Open> ends;
  bool otherwise = false;
  for (auto& one : choice.cases) {
    ends.push_back(walk(one.steps, open));
    otherwise |= one.when == nullptr;
  }
  if (!otherwise || step.when)
    ends.push_back(open);
  auto common = ends.empty() ? open : ends.front();
  for (const auto& end : ends) {
    for (const auto& [server, span] : end)
      note_difference(step, server, span, ends);
    std::erase_if(common, [&](const auto& one) { return !end.contains(one.first); });
  }
  return common;
}

// A transaction that is open behind some cases only.
void SpanMarker::note_difference(const StepProgram& step, std::size_t server, const OpenSpan& span,
                                 const std::vector<Open>& ends) {
  const bool same = std::ranges::all_of(ends, [&](const Open& end) {
    const auto found = end.find(server);
    return found != end.end() && found->second.id == span.id;
  });
  if (same || !reported_.insert({&step, server}).second)
    return;
  const auto& info = span_of(span);
  const bool began_before = opened_at_.contains(span.id) && !info.closed_by.empty();
  refuse(step,
         "the transaction that '" + info.opened_by + "' begins on '" + server_name(server) + "' "
           + (began_before ? "ends" : "is open") + " behind only some of the cases of '" + step.name
           + "'",
         "begin and end it in the same list of steps, or end it in every case, with `otherwise`");
}

SpanMarker::Open SpanMarker::visit_foreach(StepProgram& step, Foreach& each, Open open) {
  if (!open.empty() && !each.collect)
    refuse_inside(step, open, makes_several, one_record, "add collect:, or ");
  must_match(step, open, walk(each.steps, open), "the steps of each item");
  return open;
}

void SpanMarker::walk_error_steps(StepList& steps) {
  for_each_step(steps, [&](StepProgram& step) {
    for (const auto& rule : step.errors.rules)
      walk_rule(rule);
  });
}

// Its steps run outside of every transaction: the failed record's has been rolled back.
void SpanMarker::walk_rule(const ErrorRule& rule) {
  if (!rule.steps)
    return;
  in_error_steps_ = true;
  auto& steps = const_cast<StepList&>(
    *rule.steps);  // NOLINT: made by this compilation, and not shared yet
  refuse_open(walk(steps, {}));
  walk_error_steps(steps);
  in_error_steps_ = false;
}

std::unordered_set<const StepProgram*> mark_spans(PipelineDraft& draft,
                                                  const std::vector<PipelineDraft>& all,
                                                  const std::vector<ServerProgram>& servers,
                                                  sdk::Diagnostics& diagnostics) {
  return SpanMarker{draft, all, servers, diagnostics}.mark();
}

}  // namespace millrace::dsl
