// RowsByRow: a large result, made into values row by row as the server sends it, so that client and
// server work at the same time.
//
//   RowsByRow rows{slot};
//   rows.take(single_row);  …  auto raw = rows.finish(last, sql);
#pragma once

#include "connectors/postgres/decode.hpp"
#include "connectors/postgres/handles.hpp"
#include "connectors/sdk/database.hpp"

#include <memory>
#include <optional>
#include <string>

namespace millrace::postgres {

/// Whether it is what a statement that did not fail gives.
inline bool is_good(const PGresult* result) noexcept {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

class RowsByRow {
public:
  /// @param slot for the thread that calls `take`.
  explicit RowsByRow(std::shared_ptr<ShapeSlot> slot);

  void take(const PGresult* row);

  /// @param last what comes behind the rows. They are given away.
  std::unique_ptr<sdk::RawResult> finish(PGresult* last, std::shared_ptr<const std::string> sql);

  std::size_t size() const noexcept { return rows_.size(); }

private:
  std::shared_ptr<ShapeSlot> slot_;
  std::optional<RowReader> reader_;
  sdk::Value rows_ = sdk::Value::array();
  bool good_ = true;
};

}  // namespace millrace::postgres
