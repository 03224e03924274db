// The SQL lexer of the SDK, under the names that this folder uses.
#pragma once

#include "connectors/sdk/sql/lexer.hpp"

namespace millrace::dsl {

using sdk::sql::describe_sql_place;
using sdk::sql::is_sql_name_part;
using sdk::sql::SqlToken;
using sdk::sql::SqlTokenKind;
using sdk::sql::tokenize;

}  // namespace millrace::dsl
