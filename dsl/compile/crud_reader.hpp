// The CRUD operations: a table and its columns to a statement with parameters.
#pragma once

#include "dsl/compile/pipeline_compiler.hpp"
#include "dsl/sql/crud.hpp"

#include <optional>

namespace millrace::dsl {

/// Reads the options of `operation`. @returns nothing after a mistake, and where options are only
/// listed.
std::optional<BoundStatement> read_crud_statement(StepInput& in, CrudOperation operation);

}  // namespace millrace::dsl
