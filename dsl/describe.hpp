// Words for parts of a program, shared by `explain` and `graph`. None of them holds a secret.
#pragma once

#include "dsl/program.hpp"

#include <string>
#include <utility>
#include <vector>

namespace millrace::dsl {

/// "database executeSql", "filter".
std::string kind_of(const StepProgram& step);

/// What makes the step special: a filter's condition, a statement's text on one line; may be empty.
std::string detail_of(const StepProgram& step);

/// The same of a source: what it asks for, or listens to.
std::string detail_of(const SourceProgram& source);

/// The server of a database step: its name, or the expression that gives it; empty for other steps.
std::string server_of(const StepProgram& step, const Program& program);

/// The transaction that the step is part of; 0: none.
std::uint32_t span_of(const StepProgram& step);

/// How the statement of an autocommit step runs with others that wait: as far as its words tell,
/// the catalog has a word too. Empty where the server's driver joins nothing.
std::string batching_of(const StepProgram& step, const Program& program);

/// Nested lists with what stands before them: "case $.a > 0", "otherwise", "branch stock".
std::vector<std::pair<std::string, const StepList*>> labelled_lists(const StepProgram& step);

/// "40001, 23*: tried 3 times, then dead letter".
std::string describe_rule(const ErrorRule& rule);

/// Whether the step changes something outside that a second run would show.
bool shows_twice(const StepProgram& step);

}  // namespace millrace::dsl
