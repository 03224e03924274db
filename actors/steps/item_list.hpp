// The array that a foreach step goes over.
#pragma once

#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/result.hpp"

#include <string>
#include <utility>

namespace millrace::actors {

/// @returns an array (null counts as an empty one), or kind `data` where `in` gives something else.
inline sdk::Result<sdk::Value> item_list(const sdk::Expression& in, const sdk::Record& record) {
  auto items = in.evaluate({.record = &record});
  if (!items)
    return items;
  if (items->is_null())
    return sdk::Value::array();
  if (!items->is_array())
    return sdk::Error{sdk::ErrorKind::data,
                      "`in:` goes over an array, and " + in.text() + " is "
                        + std::string{to_string(items->kind())},
                      {.hint = "give `in:` a path that selects an array"}};
  return items;
}

}  // namespace millrace::actors
