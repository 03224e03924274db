#include "runtime/progress.hpp"

#include "runtime/console.hpp"

#include <algorithm>
#include <chrono>
#include <unistd.h>
#include <variant>

namespace millrace::runtime {

namespace {

constexpr std::chrono::seconds rate_window{2};

bool writes_stdout(const dsl::StepList& list);

/// Looks into the steps that a step holds.
struct NestedSteps {
  bool operator()(const dsl::TransactionBlock& block) const { return writes_stdout(block.steps); }

  bool operator()(const dsl::Foreach& each) const { return writes_stdout(each.steps); }

  bool operator()(const dsl::Switch& branches) const {
    return std::ranges::any_of(branches.cases,
                               [](const auto& branch) { return writes_stdout(branch.steps); });
  }

  bool operator()(const dsl::Parallel& parallel) const {
    return std::ranges::any_of(parallel.branches,
                               [](const auto& branch) { return writes_stdout(branch.second); });
  }

  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

bool writes_stdout(const dsl::StepProgram& step) {
  return step.type == "stdout" || std::visit(NestedSteps{}, step.body);
}

bool writes_stdout(const dsl::StepList& list) {
  return std::ranges::any_of(list.steps, [](const auto& step) { return writes_stdout(*step); });
}

}  // namespace

bool shows_progress(const dsl::Program& program) {
  if (!is_terminal(STDERR_FILENO))
    return false;
  return !is_terminal(STDOUT_FILENO)
         || std::ranges::none_of(program.pipelines, [](const auto& pipeline) {
              return writes_stdout(pipeline.steps)
                     || (pipeline.dead_letter && writes_stdout(*pipeline.dead_letter));
            });
}

std::string with_thousands(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

std::string Progress::line(const std::vector<actors::PipelineStatus>& status, sdk::Instant now) {
  std::uint64_t done = 0;
  std::uint64_t errors = 0;
  std::uint64_t open = 0;
  for (const auto& pipeline : status) {
    done += pipeline.read - pipeline.open;
    open += pipeline.open;
    errors += pipeline.failed + pipeline.skipped + pipeline.dead_lettered;
  }
  samples_.push_back({now, done});
  while (samples_.size() > 2 && now - samples_.front().at > rate_window)
    samples_.pop_front();
  const std::chrono::duration<double> span = now - samples_.front().at;
  const auto gained = static_cast<double>(done - samples_.front().done);
  const auto rate = span.count() > 0 ? static_cast<std::uint64_t>(gained / span.count()) : 0;

  std::string line = status.size() == 1 ? status.front().name
                                        : std::to_string(status.size()) + " pipelines";
  line += ": " + with_thousands(done) + " records, " + with_thousands(rate) + "/s";
  if (open > 0)
    line += ", " + with_thousands(open) + " open";
  line += ", " + with_thousands(errors) + (errors == 1 ? " error" : " errors");
  return line;
}

}  // namespace millrace::runtime
