#include "actors/pipeline/layout.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace millrace::actors {

namespace {

class Builder {
public:
  Builder(Layout& layout, PipelineShared& shared) : layout_{layout}, shared_{shared} {}

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
    made->watch = std::make_shared<StepWatch>(
      StepWatch::About{shared_.pipeline->name, step.name, step.type,
                       step.output != sdk::no_slot ? step.output : step.input},
      shared_.errors);
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
  PipelineShared& shared_;
  int limits_ = 0;  // steps with a `timeout` around the present place
};

/// Line and column in the file.
std::pair<std::uint32_t, std::uint32_t> place_of(const Layout& layout, const StepWatch& watch) {
  for (const auto& node : layout.nodes) {
    if (node->watch.get() == &watch)
      return {node->step->place.line, node->step->place.column};
  }
  return {0, 0};
}

}  // namespace

Layout lay_out(PipelineShared& shared) {
  Layout layout;
  layout.source = std::make_shared<Address>(1);
  const auto& pipeline = *shared.pipeline;
  Builder builder{layout, shared};
  layout.first = builder.chain(pipeline.steps, Hop{});
  builder.add_error_branches(layout.source_error_branches, pipeline.source.errors, layout.source);
  if (pipeline.dead_letter) {
    constexpr auto end = sdk::Outcome::dead_lettered;
    shared.dead_letter = builder.node(*pipeline.dead_letter, Hop{}, end, true);
    if (pipeline.dead_letter_shape)
      shared.dead_letter = builder.node(*pipeline.dead_letter_shape, shared.dead_letter, end, true);
  }
  const auto& source = pipeline.source;
  layout.source_watch = std::make_shared<StepWatch>(
    StepWatch::About{pipeline.name, source.name, source.type, source.output}, shared.errors);
  std::vector<StepWatchPtr> watches{layout.source_watch};
  for (const auto& node : layout.nodes)
    watches.push_back(node->watch);
  std::sort(watches.begin() + 1, watches.end(), [&](const auto& a, const auto& b) {
    return place_of(layout, *a) < place_of(layout, *b);
  });
  {
    const std::lock_guard lock{shared.board->mutex};
    shared.board->steps = std::move(watches);
  }
  shared.result = pipeline.steps.result != sdk::no_slot ? pipeline.steps.result
                                                        : pipeline.source.output;
  return layout;
}

}  // namespace millrace::actors
