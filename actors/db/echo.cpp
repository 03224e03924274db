#include "actors/db/echo.hpp"

#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/log.hpp"
#include "dsl/sql/lexer.hpp"

namespace millrace::actors::db {

std::string redact_sql(std::string_view sql) {
  const auto tokens = dsl::tokenize(sql);
  if (!tokens)
    return "…";
  std::string shown;
  shown.reserve(sql.size());
  for (const auto& token : *tokens) {
    if (token.kind == dsl::SqlTokenKind::string)
      shown += "'…'";
    else if (token.kind != dsl::SqlTokenKind::comment)
      shown += token.text;
  }
  return shown;
}

void echo(const sdk::Statement& statement, std::string_view where,
          const sdk::DatabaseSettings& settings, sdk::Log& log) {
  if (settings.echo)
    log.info("statement received", {{"server", sdk::Value{settings.name}},
                                    {"where", sdk::Value{where}},
                                    {"sql", sdk::Value{redact_sql(statement.sql)}},
                                    {"sets", sdk::Value{statement.sets.size()}}});
}

}  // namespace millrace::actors::db
