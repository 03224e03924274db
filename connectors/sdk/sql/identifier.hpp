// Names of tables, columns, savepoints and channels, as they stand in a statement.
//
//   quote_identifier("a\"b") == "\"a\"\"b\""      // on every driver
#pragma once

#include <string>
#include <string_view>

namespace millrace::sdk::sql {

/// The name as a quoted identifier: whatever it holds, it is one name.
std::string quote_identifier(std::string_view name);

}  // namespace millrace::sdk::sql
