// The placeholders of the SDK, under the names that this folder uses.
#pragma once

#include "connectors/sdk/sql/placeholder.hpp"
#include "dsl/sql/classify.hpp"

namespace millrace::dsl {

using sdk::sql::check_parameter_list;
using sdk::sql::Dialect;
using sdk::sql::driver_literal;
using sdk::sql::DriverLiteral;
using sdk::sql::match_parameter_names;
using sdk::sql::max_statement_parameters;
using sdk::sql::parse_driver_literal;
using sdk::sql::parse_statement;
using sdk::sql::PlaceholderStyle;
using sdk::sql::refuse_templates;
using sdk::sql::rewrite;
using sdk::sql::Rewritten;
using sdk::sql::Statement;
using sdk::sql::StatementPiece;
using sdk::sql::to_string;

}  // namespace millrace::dsl
