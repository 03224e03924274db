// Echo: a statement as it may stand in the log.
#pragma once

#include "connectors/sdk/statement.hpp"

#include <string>
#include <string_view>

namespace millrace::sdk {
class Log;
struct DatabaseSettings;
}  // namespace millrace::sdk

namespace millrace::actors::db {

/// The text with `'…'` for each string in it: parameters never stand in a statement's text, but
/// passwords and names may. A text that cannot be read is not shown.
std::string redact_sql(std::string_view sql);

/// One line where the server's `echo` is on. @param where "shared lane" or "transaction".
void echo(const sdk::Statement& statement, std::string_view where,
          const sdk::DatabaseSettings& settings, sdk::Log& log);

}  // namespace millrace::actors::db
