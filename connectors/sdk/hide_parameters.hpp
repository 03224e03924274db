// hide_parameters: what a database says of a statement, without the values of its parameters.
//
//   hide_parameters("relation \"secret\" does not exist", "SELECT $1::regclass",
//   {Value{"secret"}});
//   // relation "…" does not exist
#pragma once

#include "connectors/sdk/statement.hpp"

#include <string>
#include <string_view>

namespace millrace::sdk {

/// Puts an ellipsis where `message` holds a text of `parameters` as a word of its own, or quotes a
/// part of one. What stands in `sql` too is left: it is known already.
std::string hide_parameters(std::string_view message, std::string_view sql,
                            const Parameters& parameters);

}  // namespace millrace::sdk
