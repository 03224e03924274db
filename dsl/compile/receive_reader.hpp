// `{type: database, operation: receive}`: the source that asks for rows behind a mark, or listens.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/connector.hpp"
#include "dsl/program.hpp"

namespace millrace::dsl {

class PipelineCompiler;

/// Reads the options into `source`. @param pipeline null where they are only listed.
void read_database_receive(sdk::ConfigReader& in, PipelineCompiler* pipeline,
                           SourceProgram& source);

/// For `list` and the reference: what it is and promises.
const sdk::Operation& database_receive_operation() noexcept;

}  // namespace millrace::dsl
