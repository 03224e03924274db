#include "actors/pipeline/connector_stage.hpp"
#include "actors/pipeline/stage.hpp"

#include <variant>

namespace millrace::actors {

namespace {

struct MakeStage {
  const dsl::StepProgram& step;
  const StageEnv& env;

  sdk::Result<StagePtr> operator()(const dsl::ConnectorCall& call) const {
    return make_connector_stage(step, call, env);
  }

  template <class Other>
  sdk::Result<StagePtr> operator()(const Other& /*body*/) const {
    return sdk::Error{sdk::ErrorKind::config,
                      "this build cannot run steps of type '" + step.type + "'"};
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
