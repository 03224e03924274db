// OffsetTable: the offsets of `delivery: exactly-once` in a table of the user's database. Whoever
// claims a partition raises its epoch; a transaction moves the offset only where the epoch is its
// own and the offset is where it left it. Else the offset would become NULL, which the table
// refuses: so the transaction fails as a whole, on any server.
#pragma once

#include "actors/db/database_handle.hpp"
#include "connectors/sdk/offset_ledger.hpp"
#include "connectors/sdk/statement.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace millrace::actors {

class OffsetTable final : public sdk::OffsetStore {
public:
  /// @param table as it stands in SQL.
  OffsetTable(std::string table, DatabaseHandle database);

  /// Makes the table where there is none. @returns kind `config`, with the DDL, where it may not.
  void claim(sdk::OffsetKey key, std::function<void(sdk::Result<sdk::OffsetClaim>)> done) override;

  /// What stands there now; none: the row is gone.
  void read(const sdk::OffsetKey& key,
            std::function<void(sdk::Result<std::optional<sdk::OffsetClaim>>)> done) const;

  /// Moves the offset to `next`, as a part of a transaction; see `refused`.
  sdk::Statement advance(const sdk::OffsetLedger& ledger, std::int64_t next) const;

  /// Whether it failed because another claim came, or the offset is not where it was left.
  static bool refused(const sdk::Error& error);

private:
  using Done = std::function<void(sdk::Result<sdk::OffsetClaim>)>;

  void claim(const sdk::OffsetKey& key, Done done, bool may_create) const;
  std::string create_sql() const;

  std::string table_;
  DatabaseHandle database_;
};

}  // namespace millrace::actors
