// Drawings of pipelines, with branches and the ways of failed records.
#pragma once

#include "dsl/program.hpp"

#include <string>

namespace millrace::dsl {

/// A Mermaid flowchart.
std::string to_mermaid(const Program& program);

/// A Graphviz digraph.
std::string to_dot(const Program& program);

}  // namespace millrace::dsl
