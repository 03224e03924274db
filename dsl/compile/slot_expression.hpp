// Expressions that the compiler makes itself: the whole of a slot, and constants.
#pragma once

#include "connectors/sdk/expression.hpp"

#include <string>

namespace millrace::dsl {

/// The value in `slot`; null where nothing is.
sdk::ExpressionPtr slot_expression(sdk::Slot slot, std::string text);

sdk::ExpressionPtr constant_expression(sdk::Value value);

}  // namespace millrace::dsl
