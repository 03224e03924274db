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

sdk::TransactionOptions pool_options(const dsl::TransactionOptions& options) {
  return {.isolation = isolation_of(options.isolation),
          .read_only = options.read_only,
          .deferrable = options.deferrable,
          .idle_timeout = options.timeout};
}

}  // namespace millrace::actors
