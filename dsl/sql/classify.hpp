// What the SDK knows of a statement's kind, under the names that this folder uses.
#pragma once

#include "connectors/sdk/sql/classify.hpp"
#include "dsl/sql/lexer.hpp"

namespace millrace::dsl {

using sdk::sql::Classification;
using sdk::sql::classify;
using sdk::sql::single_statement;
using sdk::sql::split_statements;
using sdk::sql::StatementKind;
using sdk::sql::to_string;

}  // namespace millrace::dsl
