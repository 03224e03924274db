// BoundSql: a statement of a database step made ready for one driver. Its text is made once; per
// record only values are evaluated.
//
//   auto bound = BoundSql::make(call.statements[0], sdk::sql::Dialect::postgres);
//   statement.sets.push_back(*bound->parameters(record));
#pragma once

#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/sql/placeholder.hpp"
#include "connectors/sdk/statement.hpp"
#include "dsl/program.hpp"

#include <string>
#include <vector>

namespace millrace::actors {

class BoundSql {
public:
  /// @returns the mistake where text and parameters do not fit; the compiler found it before, but
  /// for dynamic SQL.
  static sdk::Result<BoundSql> make(const dsl::Statement& statement,
                                    const std::vector<dsl::Parameter>& parameters,
                                    sdk::sql::Dialect dialect);

  const std::string& sql() const noexcept { return sql_; }

  /// The values for one record, in the order of the placeholders that are sent.
  sdk::Result<sdk::Parameters> parameters(const sdk::Record& record) const;

  /// Those that are the same for every record; null for the others.
  sdk::Parameters constants() const;

private:
  BoundSql(std::string sql, std::vector<sdk::ExpressionPtr> values);

  std::string sql_;
  std::vector<sdk::ExpressionPtr> values_;  // of $1, $2, …
};

}  // namespace millrace::actors
