// Checks the statements of a program on the servers that they are for, without running them: texts,
// tables, columns, the types of constants, and the columns that `response` takes.
#pragma once

#include "actors/engine.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/program.hpp"

#include <cstddef>
#include <memory>

namespace millrace::actors {

struct StatementCheck {
  std::size_t checked = 0;      // statements
  std::size_t left_out = 0;     // made per record, or of a kind that can only be run
  std::size_t unreachable = 0;  // servers
};

/// Blocks. Everything happens in transactions that are rolled back. What is wrong goes to
/// `diagnostics`, at the place of its step.
StatementCheck check_statements(const std::shared_ptr<const dsl::Program>& program,
                                const EngineServices& services, sdk::Diagnostics& diagnostics);

}  // namespace millrace::actors
