// CompileContext: what an expression may refer to at its place in a pipeline.
//
//   CompileContext context;
//   context.names = {{"receive-orders", 0}, {"score", 1}};   // the steps before this one
//   context.meta = {{"receive-orders", 2}};                  // `$.meta.receive-orders`
//   Compiler compiler{context};
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/record.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace millrace::dsl {

/// A name that stands for a slot.
struct SlotName {
  std::string name;
  sdk::Slot slot = sdk::no_slot;
};

struct CompileContext {
  /// First names of paths: steps that came before, `error`, the items of foreach. A later one hides
  /// an earlier one.
  std::vector<SlotName> names;

  /// Sources, with the slots of their meta.
  std::vector<SlotName> meta;

  /// Steps that exist but did not come before, or run in another branch: for messages only.
  std::vector<std::string> out_of_reach;

  /// The root `$` is the step's result (`response`): Scope::result instead of the record.
  bool result_root = false;

  /// Must outlive the expressions.
  const sdk::Clock* clock = &sdk::system_clock();

  /// The environment for env(NAME), asked while compiling; null: there is none.
  std::function<std::optional<std::string>(const std::string&)> variable;
};

}  // namespace millrace::dsl
