#include "dsl/span_steps.hpp"

#include "connectors/sdk/sql/placeholder.hpp"
#include "connectors/sdk/sql/traces.hpp"
#include "dsl/compile/walk.hpp"
#include "dsl/expression/compiler.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::sql::StatementKind;

bool is_default(const TransactionOptions& options) {
  return options.isolation.empty() && !options.read_only && !options.deferrable && !options.timeout
         && !options.retry && !options.per_batch;
}

// Whether the text may leave something behind in a connection that others use.
bool leaves_traces(const Statement& statement) {
  std::string text;
  for (const auto& piece : statement.pieces)
    text += piece.text + (piece.entry ? "?" : "");
  return sdk::sql::leaves_traces(text);
}

bool is_groupable(const Statement& statement) {
  const auto& is = statement.classification;
  return (is.kind == StatementKind::query || is.kind == StatementKind::update)
         && is.lane_refusal.empty() && !leaves_traces(statement);
}

/// Collects the steps of one span, as long as they may go out together.
class Group {
public:
  explicit Group(std::uint32_t span) : span_{span} {}

  /// @returns whether the step fits behind those before.
  bool add(const StepProgram& step) {
    const auto* call = std::get_if<DatabaseCall>(&step.body);
    if (!call || call->span != span_ || step.when || step.timeout || !fits(*call))
      return false;
    // What fails behind the statements would find them committed.
    const bool may_fail = std::ranges::any_of(
      step.response, [](const auto& member) { return !never_fails(*member.value); });
    if (may_fail)
      return false;
    for (const auto& statement : call->statements) {
      if (!is_groupable(*statement.sql) || !is_known(statement))
        return false;
      any_statement_ = true;
    }
    if (step.output != sdk::no_slot)
      outputs_.insert(step.output);
    steps_.push_back(&step);
    return true;
  }

  bool any_statement() const noexcept { return any_statement_; }

  std::vector<const StepProgram*> take() { return std::move(steps_); }

private:
  static bool fits(const DatabaseCall& call) {
    switch (call.operation) {
    case DatabaseOperation::begin:
      return is_default(call.transaction);
    case DatabaseOperation::execute:
    case DatabaseOperation::execute_batch:
      return !call.server_name && !call.dynamic_sql && !call.each;
    case DatabaseOperation::commit:
    case DatabaseOperation::check:
      return true;
    case DatabaseOperation::copy_in:
    case DatabaseOperation::rollback:
    case DatabaseOperation::savepoint:
    case DatabaseOperation::rollback_to:
      break;
    }
    return false;
  }

  bool is_known(const BoundStatement& statement) const {
    return std::ranges::all_of(statement.parameters, [this](const Parameter& parameter) {
      if (!parameter.value)
        return true;
      const auto reads = slots_read(*parameter.value);
      return std::ranges::none_of(reads,
                                  [this](sdk::Slot slot) { return outputs_.contains(slot); });
    });
  }

  std::uint32_t span_;
  std::vector<const StepProgram*> steps_;
  std::set<sdk::Slot> outputs_;
  bool any_statement_ = false;
};

class Finder {
public:
  explicit Finder(std::uint32_t span) : group_{span}, span_{span} {}

  std::vector<const StepProgram*> find(const PipelineProgram& pipeline) {
    look_in(pipeline.steps);
    look_in(pipeline.errors);
    look_in(pipeline.source.errors);
    return std::move(found_);
  }

private:
  void look_in(const StepList& list) {
    for (std::size_t i = 0; i < list.steps.size() && found_.empty(); ++i) {
      const auto& step = *list.steps[i];
      const auto* call = std::get_if<DatabaseCall>(&step.body);
      const auto* block = std::get_if<TransactionBlock>(&step.body);
      if (call && call->opens_span && call->span == span_)
        take_flat(list, i);
      if (block && block->span == span_)
        take_block(*block);
      for (const auto* nested : nested_lists(step))
        look_in(*nested);
      look_in(step.errors);
    }
  }

  void look_in(const ErrorPolicy& errors) {
    for (const auto& rule : errors.rules) {
      if (rule.steps)
        look_in(*rule.steps);
    }
  }

  void take_flat(const StepList& list, std::size_t first) {
    for (std::size_t i = first; i < list.steps.size(); ++i) {
      const auto& step = *list.steps[i];
      if (!group_.add(step))
        return;
      if (std::get<DatabaseCall>(step.body).closes_span) {
        take();
        return;
      }
    }
  }

  void take_block(const TransactionBlock& block) {
    if (!is_default(block.options))
      return;
    for (const auto& step : block.steps.steps) {
      if (!group_.add(*step))
        return;
    }
    take();
  }

  void take() {
    if (group_.any_statement())
      found_ = group_.take();
  }

  Group group_;
  std::uint32_t span_;
  std::vector<const StepProgram*> found_;
};

}  // namespace

std::vector<const StepProgram*> grouped_steps(const PipelineProgram& pipeline, std::uint32_t span) {
  return span == 0 ? std::vector<const StepProgram*>{} : Finder{span}.find(pipeline);
}

}  // namespace millrace::dsl
