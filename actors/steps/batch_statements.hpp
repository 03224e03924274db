// What executeBatch runs for a record: its statements, or its one statement for each item of a
// list.
#pragma once

#include "actors/steps/statement_maker.hpp"
#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"

#include <vector>

namespace millrace::actors {

/// None where the list is empty.
sdk::Result<std::vector<sdk::Statement>> batch_statements(StatementMaker& maker,
                                                          const dsl::DatabaseCall& call,
                                                          std::size_t server,
                                                          const sdk::Record& record);

}  // namespace millrace::actors
