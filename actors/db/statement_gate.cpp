#include "actors/db/statement_gate.hpp"

#include "connectors/sdk/sql/classify.hpp"
#include "connectors/sdk/sql/lexer.hpp"

namespace millrace::actors::db {

std::optional<sdk::Error> shared_lane_refusal(std::string_view sql) {
  const auto tokens = sdk::sql::tokenize(sql);
  if (!tokens)
    return tokens.error();
  const auto statement = sdk::sql::single_statement(sql, *tokens);
  if (!statement)
    return statement.error();
  const auto kind = sdk::sql::classify(*statement);
  if (kind.lane_refusal.empty())
    return std::nullopt;
  if (kind.kind == sdk::sql::StatementKind::transaction)
    return sdk::Error{sdk::ErrorKind::transaction,
                      kind.keyword + " without a transaction: " + kind.lane_refusal,
                      {.hint = "begin a transaction, and use its commit, rollback and savepoints",
                       .code = "25P01"}};
  return sdk::Error{sdk::ErrorKind::execution,
                    kind.lane_refusal,
                    {.hint = "run it inside a transaction", .code = "25001"}};
}

}  // namespace millrace::actors::db
