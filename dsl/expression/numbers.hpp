// Order and sums of numbers, exact whatever kind of Value holds them.
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <compare>
#include <span>

namespace millrace::dsl {

/// The order of two numbers by the digits they are written with; NaN has none.
std::partial_ordering compare_numbers(const sdk::Value& a, const sdk::Value& b);

/// The sum of numbers. Of integers: an integer, and an error where it does not fit. With decimals
/// and reals among them: exact (0.1 + 0.20 is 0.30) while it has up to 18 digits before and behind
/// the point, else a double.
sdk::Result<sdk::Value> sum_of(std::span<const sdk::Value> numbers);

}  // namespace millrace::dsl
