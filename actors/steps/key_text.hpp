// The text by which `by` and `key` tell records apart.
#pragma once

#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/result.hpp"

#include <string>
#include <utility>

namespace millrace::actors {

/// The JSON text of what `expression` gives (so that 1 and "1" differ); without an expression the
/// same for all.
inline sdk::Result<std::string> key_text(const sdk::ExpressionPtr& expression,
                                         const sdk::Record& record) {
  if (!expression)
    return std::string{};
  auto value = expression->evaluate({.record = &record});
  if (!value)
    return std::move(value).error();
  return sdk::to_json(*value);
}

}  // namespace millrace::actors
