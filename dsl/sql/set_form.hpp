// Many parameter sets of one statement as one statement, for PostgreSQL. Each parameter becomes an
// array; rows carry the number of the set that they belong to.
//
//   auto text = write_set_form(tokens, words, {"integer"});
//   // SELECT x.i, q.* FROM ROWS FROM (unnest($1::integer[])) WITH ORDINALITY AS x(p1, i) CROSS …
#pragma once

#include "dsl/sql/joinable.hpp"

#include <span>
#include <string>
#include <vector>

namespace millrace::dsl {

/// @param words what `examine_joinable` said of the tokens; its `set_form` is not `none`.
/// @param types the SQL name of each parameter's type.
/// @returns the text. A SELECT gives the set's number, from 1, as its first column, the number of
///   the row within the set as its second where `words.ordered`, then its own columns. An INSERT
///   takes the number of sets as one parameter more and fails with a division by zero where not
///   every set gave one row. Empty where the parameters are not `$1` to `$n`.
std::string write_set_form(std::span<const sdk::sql::SqlToken> tokens, const Joinable& words,
                           const std::vector<std::string>& types);

}  // namespace millrace::dsl
