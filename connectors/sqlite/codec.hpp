// Values into parameters, and columns into values.
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"

#include <cstdint>
#include <memory>
#include <vector>

struct sqlite3_stmt;

namespace millrace::sqlite {

/// How the column's declared type wants its values read; expressions have none.
enum class ColumnKind : std::uint8_t { by_storage, boolean, number, json };

struct ColumnPlan {
  std::shared_ptr<const sdk::ResultShape> shape;
  std::vector<ColumnKind> kinds;
};

ColumnPlan plan_columns(sqlite3_stmt* statement);

/// The row that `statement` stands on.
sdk::Value read_row(sqlite3_stmt* statement, const ColumnPlan& plan);

/// Binds one value per placeholder; both `$n` and `?n` say their number themselves.
sdk::Status bind(sqlite3_stmt* statement, const sdk::Parameters& parameters);

}  // namespace millrace::sqlite
