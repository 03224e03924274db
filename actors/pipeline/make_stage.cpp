#include "actors/pipeline/connector_stage.hpp"
#include "actors/pipeline/stage.hpp"
#include "actors/pipeline/time_limit_stage.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/stages.hpp"

#include <variant>

namespace millrace::actors {

namespace {

struct MakeStage {
  const dsl::StepProgram& step;
  const StageEnv& env;

  // Whether the step commits with the offsets of its source.
  bool is_once_sink() const {
    const auto& once = env.pipeline->source.exactly_once;
    const auto& steps = env.pipeline->steps.steps;
    return once && once->table.empty() && !steps.empty() && steps.back().get() == &step;
  }

  sdk::Result<StagePtr> operator()(const dsl::ConnectorCall& call) const {
    if (is_once_sink())
      return make_exactly_once_sink(step, call, env);
    auto stage = make_connector_stage(step, call, env);
    return step.timeout ? limit_time(std::move(stage), *step.timeout, step.output)
                        : std::move(stage);
  }

  sdk::Result<StagePtr> operator()(const dsl::DatabaseCall& call) const {
    return make_database_stage(step, call, env);
  }

  sdk::Result<StagePtr> operator()(const dsl::TransactionBlock& block) const {
    return block.exactly_once ? make_exactly_once_stage(step, block, env)
                              : make_transaction_stage(step, block, env);
  }

  sdk::Result<StagePtr> operator()(const dsl::Transform& body) const {
    return make_transform_stage(step, body);
  }

  sdk::Result<StagePtr> operator()(const dsl::Filter& body) const {
    return make_filter_stage(body);
  }

  sdk::Result<StagePtr> operator()(const dsl::Switch& body) const {
    return make_switch_stage(step, body, env);
  }

  sdk::Result<StagePtr> operator()(const dsl::Foreach& body) const {
    return body.collect ? make_foreach_stage(step, body) : make_expand_stage(step, body);
  }

  sdk::Result<StagePtr> operator()(const dsl::Parallel& body) const {
    return make_parallel_stage(step, body);
  }

  sdk::Result<StagePtr> operator()(const dsl::Gather& body) const {
    return make_gather_stage(step, body);
  }

  sdk::Result<StagePtr> operator()(const dsl::Throttle& body) const {
    return make_throttle_stage(body);
  }

  sdk::Result<StagePtr> operator()(const dsl::Dedupe& body) const {
    return make_dedupe_stage(body);
  }

  sdk::Result<StagePtr> operator()(const dsl::Delay& body) const { return make_delay_stage(body); }

  sdk::Result<StagePtr> operator()(const dsl::LogMessage& body) const {
    return make_log_stage(step, body, env);
  }

  sdk::Result<StagePtr> operator()(const dsl::Fail& body) const { return make_fail_stage(body); }

  sdk::Result<StagePtr> operator()(const dsl::CallPipeline& body) const {
    return make_call_stage(step, body, env);
  }
};

void add(std::vector<const dsl::StepList*>& lists, const dsl::StepList& list) {
  lists.push_back(&list);
}

}  // namespace

sdk::Result<StagePtr> make_stage(const dsl::StepProgram& step, const StageEnv& env) {
  return std::visit(MakeStage{step, env}, step.body);
}

std::vector<const dsl::StepList*> nested_lists(const dsl::StepProgram& step) {
  std::vector<const dsl::StepList*> lists;
  if (const auto* choice = std::get_if<dsl::Switch>(&step.body)) {
    for (const auto& one : choice->cases)
      add(lists, one.steps);
  } else if (const auto* loop = std::get_if<dsl::Foreach>(&step.body)) {
    add(lists, loop->steps);
  } else if (const auto* fork = std::get_if<dsl::Parallel>(&step.body)) {
    for (const auto& branch : fork->branches)
      add(lists, branch.second);
  } else if (const auto* block = std::get_if<dsl::TransactionBlock>(&step.body)) {
    add(lists, block->steps);
  }
  return lists;
}

}  // namespace millrace::actors
