// Walks over the steps of a program.
#pragma once

#include "dsl/program.hpp"

#include <functional>

namespace millrace::dsl {

/// The lists of steps inside a step, in order; those of its `onError` are not among them.
std::vector<StepList*> nested_lists(StepProgram& step);
std::vector<const StepList*> nested_lists(const StepProgram& step);

/// Calls `visit` for every step, outer ones before what is in them; not for those of `onError`.
void for_each_step(StepList& steps, const std::function<void(StepProgram&)>& visit);
void for_each_step(const StepList& steps, const std::function<void(const StepProgram&)>& visit);

}  // namespace millrace::dsl
