// Paths and expressions over one document: what `millrace eval jsonpath` and `millrace eval expr`
// do.
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <string_view>

namespace millrace::dsl {

struct EvalJsonPathOptions {
  bool paths = false;   // normalized paths instead of values
  bool strict = false;  // names of RFC 9535 only
};

/// @returns an array of what the path selects; kind `config` where it is invalid.
sdk::Result<sdk::Value> eval_jsonpath(std::string_view path, const sdk::Value& document,
                                      EvalJsonPathOptions options = {});

/// Reads `text` as the scalar of an option that takes an expression; `$` is the document.
/// @returns kind `config` where it is invalid, else what its evaluation says.
sdk::Result<sdk::Value> eval_expression(std::string_view text, const sdk::Value& document,
                                        const sdk::Clock& clock = sdk::system_clock());

/// The same for a condition, as in `when`.
sdk::Result<bool> eval_condition(std::string_view text, const sdk::Value& document);

}  // namespace millrace::dsl
