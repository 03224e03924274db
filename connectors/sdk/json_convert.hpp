// Value to nlohmann::json and back, for where people's tools are met (admin API, schema, tests).
//
//   nlohmann::json tree = to_nlohmann(value);
//   Value again = from_nlohmann(tree);
#pragma once

#include "connectors/sdk/value.hpp"

#include <nlohmann/json_fwd.hpp>

namespace millrace::sdk {

/// Members come in nlohmann's order (by name). Binary values become arrays of integers; discarded
/// ones null.
Value from_nlohmann(const nlohmann::json& json);

/// A decimal is rounded to a double here (an unsigned integer of 64 bits stays exact), since
/// nlohmann has no kind for it. Recurses: for values of sane depth.
nlohmann::json to_nlohmann(const Value& value);

}  // namespace millrace::sdk
