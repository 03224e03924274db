// What a pipeline really does, in words: its steps and their outputs, its transactions, the servers
// it uses, its guarantee and what weakens it, and what happens to a record that fails.
#pragma once

#include "dsl/program.hpp"

#include <string>

namespace millrace::dsl {

/// Text for people, several lines; holds no secret.
std::string explain(const Program& program);

}  // namespace millrace::dsl
