#include "actors/db/echo.hpp"

#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/secret.hpp"
#include "connectors/sdk/sql/traces.hpp"

namespace millrace::actors::db {

void echo(const sdk::Statement& statement, std::string_view where,
          const sdk::DatabaseSettings& settings, sdk::Log& log) {
  if (settings.echo)
    log.info(
      "statement received",
      {{"server", sdk::Value{settings.name}},
       {"where", sdk::Value{where}},
       {"sql", sdk::Value{statement.options.secret ? sdk::Secret::masked()
                                                   : sdk::sql::without_values(statement.sql)}},
       {"sets", sdk::Value{statement.sets.size()}}});
}

}  // namespace millrace::actors::db
