#include "dsl/compile/walk.hpp"

namespace millrace::dsl {

std::vector<StepList*> nested_lists(StepProgram& step) {
  std::vector<StepList*> lists;
  if (auto* block = std::get_if<TransactionBlock>(&step.body))
    lists.push_back(&block->steps);
  else if (auto* choice = std::get_if<Switch>(&step.body)) {
    for (auto& one : choice->cases)
      lists.push_back(&one.steps);
  } else if (auto* each = std::get_if<Foreach>(&step.body))
    lists.push_back(&each->steps);
  else if (auto* parallel = std::get_if<Parallel>(&step.body)) {
    for (auto& [name, steps] : parallel->branches)
      lists.push_back(&steps);
  }
  return lists;
}

std::vector<const StepList*> nested_lists(const StepProgram& step) {
  // Only looked at by the caller, and never changed here.
  const auto lists = nested_lists(
    const_cast<StepProgram&>(step));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  return {lists.begin(), lists.end()};
}

void for_each_step(StepList& steps, const std::function<void(StepProgram&)>& visit) {
  for (auto& step : steps.steps) {
    visit(*step);
    for (auto* list : nested_lists(*step))
      for_each_step(*list, visit);
  }
}

void for_each_step(const StepList& steps, const std::function<void(const StepProgram&)>& visit) {
  for (const auto& step : steps.steps) {
    visit(*step);
    for (const auto* list : nested_lists(static_cast<const StepProgram&>(*step)))
      for_each_step(*list, visit);
  }
}

}  // namespace millrace::dsl
