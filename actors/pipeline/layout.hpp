// Layout: the steps of a pipeline as nodes that know where their records go. Made once per start.
#pragma once

#include "actors/pipeline/pipeline_shared.hpp"
#include "dsl/program.hpp"

#include <memory>
#include <vector>

namespace millrace::actors {

struct Layout {
  std::vector<std::shared_ptr<const StepNode>> nodes;  // all, nested ones and deadLetter as well
  Hop first;                                           // empty: the pipeline has no steps
  std::vector<Hop> source_error_branches;
  std::shared_ptr<Address> source;  // where the source's own nested steps return to
  StepWatchPtr source_watch;
};

/// @param shared its `dead_letter` and `result` are filled in.
Layout lay_out(PipelineShared& shared);

}  // namespace millrace::actors
