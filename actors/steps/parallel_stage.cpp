// parallel: each record goes through all branches at the same time; their outputs become one
// object. A branch that dropped its part on purpose has null there.
#include "actors/steps/part_stage.hpp"
#include "actors/steps/stages.hpp"

#include <utility>

namespace millrace::actors {

namespace {

class ParallelStage final : public PartStage {
public:
  ParallelStage(const dsl::StepProgram& step, const dsl::Parallel& body)
    : PartStage{step}, body_{body}, one_each_{sdk::Value::array()} {
    for (std::size_t i = 0; i < body.branches.size(); ++i)
      one_each_.push_back({});
  }

private:
  std::size_t branches() const override { return body_.branches.size(); }

  sdk::Result<sdk::Value> cut(const sdk::Record&) override { return one_each_; }

  std::size_t make_part(const sdk::Value&, std::uint32_t index, sdk::Record&) override {
    return index;
  }

  sdk::Result<sdk::Value> value_of(std::size_t branch, const sdk::Record& part) override {
    return part.get(body_.branches[branch].second.result);
  }

  sdk::Value join(Values values) override {
    auto out = sdk::Value::object();
    out.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      out.set(body_.branches[i].first, values[i] ? std::move(*values[i]) : sdk::Value{});
    return out;
  }

  const dsl::Parallel& body_;
  sdk::Value one_each_;  // what `cut` gives: one part a branch
};

}  // namespace

StagePtr make_parallel_stage(const dsl::StepProgram& step, const dsl::Parallel& body) {
  return std::make_unique<ParallelStage>(step, body);
}

}  // namespace millrace::actors
