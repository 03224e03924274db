// What SQLite's result codes mean in the terms of every database driver.
#pragma once

#include "connectors/sdk/error.hpp"

#include <string_view>

struct sqlite3;

namespace millrace::sqlite {

/// The last error of `connection` as ours. Its message names tables and columns, never values.
sdk::Error last_error(sqlite3* connection);

/// @param code SQLite's extended result code; `message` its text.
sdk::Error to_error(int code, std::string_view message);

}  // namespace millrace::sqlite
