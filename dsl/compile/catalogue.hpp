// The catalogue of step types: those of the connectors of this build, and our own.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "dsl/program.hpp"

#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::dsl {

class PipelineCompiler;

/// What reads one of our own step types, handed to its reader.
struct StepInput {
  sdk::ConfigReader& options;
  PipelineCompiler* pipeline;  // null where the options are only listed
  StepProgram& step;           // common keys read; the reader fills in `body`
  bool has_output;             // the reader may take it back
};

/// One operation of a step type of our own.
struct StepType {
  std::string_view type;
  std::string_view operation;  // empty where the type has a single, nameless one
  std::string_view doc;
  bool has_output;
  void (*read)(StepInput& in);
};

/// Control steps: filter, switch, foreach, ….
std::span<const StepType> control_types();

/// Operations of `type: database`.
std::span<const StepType> database_types();

/// Both.
std::vector<const StepType*> own_types();

/// @returns null where this build has none of that name.
const sdk::Connector* find_connector(std::span<const sdk::Connector* const> connectors,
                                     std::string_view name);

/// Whether a type of that name exists, in this build or another.
bool is_known_type(std::string_view name);

/// Every type that a step of this build can have.
std::vector<std::string_view> type_names(std::span<const sdk::Connector* const> connectors);

}  // namespace millrace::dsl
