// What `copyIn` writes: the rows that a record gives, and the statement that writes them.
#pragma once

#include "connectors/sdk/bulk.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"
#include "dsl/program.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace millrace::actors {

using CopyRows = std::vector<sdk::Parameters>;

/// @returns kind `data` where `rows` does not give a list of objects or of lists of the right
/// length.
sdk::Result<CopyRows> rows_of(const dsl::CopyTarget& target, const sdk::Record& record);

/// Writes `count` of `rows`, from `first` on.
sdk::Statement copy_statement(const dsl::CopyTarget& target, std::shared_ptr<const CopyRows> rows,
                              std::size_t first, std::size_t count);

/// {rowcount, command}
sdk::Value copy_result(std::size_t rows);

/// Whether one row may be to blame, so that the others are worth trying without it.
bool blames_a_row(const sdk::Error& error);

}  // namespace millrace::actors
