#include "actors/pipeline/layout.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace millrace::actors {

namespace {

class Builder {
public:
  explicit Builder(Layout& layout) : layout_{layout} {}

  /// @returns where records enter the list; `next` where it is empty.
  Hop chain(const dsl::StepList& list, Hop next) {
    for (std::size_t i = list.steps.size(); i-- > 0;)
      next = node(*list.steps[i], std::move(next), sdk::Outcome::delivered, false);
    return next;
  }

  Hop node(const dsl::StepProgram& step, Hop next, sdk::Outcome end, bool is_dead_letter) {
    auto made = std::make_shared<StepNode>();
    made->step = &step;
    made->address = std::make_shared<Address>(std::max<std::uint32_t>(step.concurrency, 1));
    made->next = std::move(next);
    made->end = end;
    made->is_dead_letter = is_dead_letter;
    made->is_limited = limits_ > 0;
    limits_ += step.timeout ? 1 : 0;
    for (const auto* list : nested_lists(step))
      add_branch(made->branches, *list, made->address);
    limits_ -= step.timeout ? 1 : 0;
    made->stage_branches = made->branches.size();
    add_error_branches(made->branches, step.errors, made->address);
    layout_.nodes.push_back(made);
    return Hop{made->address, std::nullopt};
  }

  void add_error_branches(std::vector<Hop>& branches, const dsl::ErrorPolicy& errors,
                          const std::shared_ptr<Address>& owner) {
    for (const auto& rule : errors.rules) {
      if (rule.steps && !rule.steps->steps.empty())
        add_branch(branches, *rule.steps, owner);
    }
  }

private:
  void add_branch(std::vector<Hop>& branches, const dsl::StepList& list,
                  const std::shared_ptr<Address>& owner) {
    const auto number = static_cast<std::uint32_t>(branches.size());
    branches.push_back(chain(list, Hop{owner, number}));
  }

  Layout& layout_;
  int limits_ = 0;  // steps with a `timeout` around the present place
};

}  // namespace

Layout lay_out(PipelineShared& shared) {
  Layout layout;
  layout.source = std::make_shared<Address>(1);
  const auto& pipeline = *shared.pipeline;
  Builder builder{layout};
  layout.first = builder.chain(pipeline.steps, Hop{});
  builder.add_error_branches(layout.source_error_branches, pipeline.source.errors, layout.source);
  if (pipeline.dead_letter) {
    constexpr auto end = sdk::Outcome::dead_lettered;
    shared.dead_letter = builder.node(*pipeline.dead_letter, Hop{}, end, true);
    if (pipeline.dead_letter_shape)
      shared.dead_letter = builder.node(*pipeline.dead_letter_shape, shared.dead_letter, end, true);
  }
  shared.result = pipeline.steps.result != sdk::no_slot ? pipeline.steps.result
                                                        : pipeline.source.output;
  return layout;
}

}  // namespace millrace::actors
