// Echo: statements in the log, without their values.
#pragma once

#include "connectors/sdk/statement.hpp"

#include <string_view>

namespace millrace::sdk {
class Log;
struct DatabaseSettings;
}  // namespace millrace::sdk

namespace millrace::actors::db {

/// One line where the server's `echo` is on. @param where "shared lane" or "transaction".
void echo(const sdk::Statement& statement, std::string_view where,
          const sdk::DatabaseSettings& settings, sdk::Log& log);

}  // namespace millrace::actors::db
