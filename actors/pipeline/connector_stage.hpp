// ConnectorStage: a connector's step as a stage.
#pragma once

#include "actors/pipeline/stage.hpp"
#include "connectors/sdk/step.hpp"

#include <memory>

namespace millrace::actors {

StagePtr make_connector_stage(const dsl::StepProgram& step, const dsl::ConnectorCall& call,
                              const StageEnv& env);

}  // namespace millrace::actors
