#include "actors/steps/session_attachment.hpp"

namespace millrace::actors {

namespace {

sdk::Isolation isolation_of(const std::string& name) {
  if (name == "read committed")
    return sdk::Isolation::read_committed;
  if (name == "repeatable read")
    return sdk::Isolation::repeatable_read;
  if (name == "serializable")
    return sdk::Isolation::serializable;
  return sdk::Isolation::server_default;
}

}  // namespace

sdk::TransactionOptions pool_options(const dsl::TransactionOptions& options,
                                     const dsl::PipelineProgram& pipeline,
                                     const dsl::StepProgram& step) {
  return {.isolation = isolation_of(options.isolation),
          .read_only = options.read_only,
          .deferrable = options.deferrable,
          .timeout = options.timeout,
          .holder = "pipeline '" + pipeline.name + "', step '" + step.name + "'"};
}

}  // namespace millrace::actors
