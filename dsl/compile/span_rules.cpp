// What SpanMarker refuses, and the words for it.
#include "dsl/compile/span_marker.hpp"
#include "dsl/compile/span_support.hpp"

#include <algorithm>
#include <utility>

namespace millrace::dsl {

void SpanMarker::begin(const StepProgram& step, std::size_t server, bool block, bool implicit,
                       Open& open) {
  inside_.insert(&step);
  auto& spans = draft_.program.spans;
  const auto id = static_cast<std::uint32_t>(spans.size() + 1);
  spans.push_back({id, server, step.name, {}, implicit});
  opened_at_[id] = step.place;
  if (!open.empty())
    diagnostics_.warning(step.place,
                         "'" + step.name + "' begins a transaction on '" + server_name(server)
                           + "' while one is open on " + names(open)
                           + ": no commit covers both servers",
                         "where the second commit fails, the first stays");
  open[server] = {id, block, {}};
  if (!block)
    check_rules(step, open);
}

// What lets a record go on after a failed statement would go on without the transaction.
void SpanMarker::check_rules(const StepProgram& step, const Open& open) {
  const bool saved = std::ranges::all_of(
    open, [](const auto& one) { return !one.second.savepoints.empty(); });
  if (saved || std::holds_alternative<TransactionBlock>(step.body))
    return;
  for (const auto& rule : step.errors.rules) {
    if (rule.retry && rule.retry->attempts > 1)
      refuse(step,
             "'" + step.name + "' cannot be tried again alone inside the transaction of "
               + names(open),
             "put 'retry' on a transaction block, or a savepoint before the step");
    if (rule.then == ErrorAction::resume)
      refuse(step,
             "'" + step.name + "' cannot continue after an error inside the transaction of "
               + names(open) + ", which the error ends",
             "put a savepoint before the step");
  }
  for (const auto& rule : draft_.defaults.rules) {
    if (rule.then == ErrorAction::resume && step.errors.rules.empty() && !reported_continue_) {
      reported_continue_ = true;
      diagnostics_.error(draft_.defaults_place,
                         "'continue' would apply to '" + step.name
                           + "', which stands inside a transaction that an error ends",
                         "give the steps that may continue an onError of their own");
    }
  }
}

void SpanMarker::refuse_condition(const StepProgram& step, const std::string& what) {
  if (step.when)
    refuse(step,
           "'" + step.name + "' cannot " + what
             + " under a condition: nobody could tell whether the transaction is open behind it",
           "use a switch that ends it in every case");
}

void SpanMarker::must_match(const StepProgram& step, const Open& before, const Open& after,
                            const std::string& where) {
  for (const auto& [server, span] : after) {
    if (!before.contains(server))
      refuse(step,
             "the transaction that '" + span_of(span).opened_by + "' begins on '"
               + server_name(server) + "' is still open at the end of " + where + " of '"
               + step.name + "'",
             "end it in the same list of steps");
  }
  for (const auto& [server, span] : before) {
    if (!after.contains(server))
      refuse(step,
             "the transaction that '" + span_of(span).opened_by + "' begins on '"
               + server_name(server) + "' ends inside '" + step.name
               + "', which may run it more than once or not at all",
             "end it in the list of steps in which it begins");
  }
}

void SpanMarker::check_pipeline_call(const StepProgram& step, const CallPipeline& call,
                                     const Open& open) {
  if (open.empty())
    return;
  const auto used = servers_used(call.pipeline, all_, servers_.size());
  for (const auto& [server, span] : open) {
    if (used.contains(server))
      refuse(step,
             "'" + step.name + "' calls the pipeline '" + call.pipeline + "', which uses '"
               + server_name(server) + "' outside the transaction of '" + span_of(span).opened_by
               + "'",
             "end the transaction before it");
  }
}

void SpanMarker::refuse_inside(const StepProgram& step, const Open& open, const std::string& what,
                               const std::string& why, const std::string& remedy) {
  refuse(step,
         "'" + step.name + "' " + what + " inside the transaction of " + names(open) + ": " + why,
         remedy + "end the transaction before it");
}

std::string SpanMarker::names(const Open& open) {
  std::string text;
  for (const auto& one : open)
    text.append(text.empty() ? "'" : ", '").append(server_name(one.first)).append("'");
  return text;
}

void SpanMarker::refuse_open(const Open& left) {
  for (const auto& [server, open] : left)
    diagnostics_.error(opened_at_.at(open.id),
                       "the transaction that '" + span_of(open).opened_by + "' begins on '"
                         + server_name(server) + "' never ends, so it would always roll back",
                       "add a step with operation: commitSql");
}

void SpanMarker::refuse_inner(const StepProgram& step, std::size_t server, const OpenSpan& around) {
  refuse(step,
         "'" + step.name + "' begins a transaction on '" + server_name(server)
           + "' inside the one of '" + span_of(around).opened_by + "'",
         "use a savepoint");
}

void SpanMarker::refuse(const StepProgram& step, std::string message, std::string hint) {
  diagnostics_.error(step.place, std::move(message), std::move(hint));
}

}  // namespace millrace::dsl
