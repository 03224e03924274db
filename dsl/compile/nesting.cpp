#include "dsl/compile/nesting.hpp"

#include "dsl/compile/walk.hpp"

#include <string>

namespace millrace::dsl {

namespace {

class NestingCheck {
public:
  explicit NestingCheck(sdk::Diagnostics& diagnostics) : diagnostics_{diagnostics} {}

  /// @param around says what they are nested in; empty: nothing.
  void check(const StepList& list, const std::string& around) {
    for (const auto& step : list.steps) {
      if (!around.empty())
        check(*step, around);
      for (const auto* nested : nested_lists(static_cast<const StepProgram&>(*step)))
        check(*nested, "'" + step->name + "'");
      check_rules(step->errors, "onError of '" + step->name + "'");
    }
  }

  void check_rules(const ErrorPolicy& errors, const std::string& around) {
    for (const auto& rule : errors.rules) {
      if (rule.steps)
        check(*rule.steps, around);
    }
  }

private:
  void check(const StepProgram& step, const std::string& around) {
    const auto* each = std::get_if<Foreach>(&step.body);
    if (each && !each->collect)
      refuse(step, around, "makes several records of one",
             "add collect:, or put it behind the outer step");
    else if (std::holds_alternative<Gather>(step.body))
      refuse(step, around, "makes one record of several", "put it behind the outer step");
    else if (std::holds_alternative<Dedupe>(step.body))
      refuse(step, around, "keeps records until others have been delivered",
             "put it before or behind the outer step");
  }

  void refuse(const StepProgram& step, const std::string& around, const char* what,
              const char* hint) {
    diagnostics_.error(step.place,
                       "'" + step.name + "' (" + step.type + ") cannot stand inside " + around
                         + ": it " + what + ", and the outer step waits for each of its own",
                       hint);
  }

  sdk::Diagnostics& diagnostics_;
};

}  // namespace

void check_nesting(const PipelineDraft& draft, sdk::Diagnostics& diagnostics) {
  NestingCheck nesting{diagnostics};
  const auto& pipeline = draft.program;
  nesting.check(pipeline.steps, {});
  nesting.check_rules(pipeline.source.errors, "onError of '" + pipeline.source.name + "'");
  nesting.check_rules(draft.defaults, "onError of the pipeline");
}

}  // namespace millrace::dsl
