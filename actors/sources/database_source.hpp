// The sources of `{type: database, operation: receive}`: rows that are asked for, or notifications.
#pragma once

#include "actors/pipeline/stage.hpp"
#include "connectors/sdk/source.hpp"
#include "dsl/program.hpp"

#include <memory>

namespace millrace::actors {

/// Makes what `receive` describes, anew each time.
sdk::SourceFactory database_source(std::shared_ptr<const dsl::DatabaseReceive> receive,
                                   const StageEnv& env);

}  // namespace millrace::actors
