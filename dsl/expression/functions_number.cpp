#include "dsl/expression/function_bodies.hpp"
#include "dsl/expression/function_table.hpp"
#include "dsl/expression/numbers.hpp"
#include "dsl/expression/text_cursor.hpp"

#include <algorithm>
#include <vector>

namespace millrace::dsl::bodies {

namespace {

using sdk::Error;
using sdk::ErrorKind;
using sdk::Value;

/// All values of all arguments: the items of lists, and what is no list itself. Nulls count as
/// absent.
std::vector<Value> flatten(Arguments in) {
  std::vector<Value> values;
  const auto add = [&](const Value& value) {
    if (!value.is_null())
      values.push_back(value);
  };
  for (const Value& argument : in) {
    if (argument.is_array())
      std::ranges::for_each(argument.items(), add);
    else
      add(argument);
  }
  return values;
}

Error no_number(const Value& value) {
  return {ErrorKind::data, "wants numbers, not " + std::string{describe_kind(value.kind())}};
}

const Value* first_non_number(const std::vector<Value>& values) {
  const auto found = std::ranges::find_if(values,
                                          [](const Value& value) { return !value.is_number(); });
  return found == values.end() ? nullptr : &*found;
}

/// The value before which no other stands; `least` or the greatest.
Answer extreme(Arguments in, bool least) {
  const auto values = flatten(in);
  if (values.empty())
    return Value{};
  const Value* best = &values.front();
  for (const Value& value : values) {
    bool less = false;
    if (value.is_number() && best->is_number())
      less = least ? std::is_lt(compare_numbers(value, *best))
                   : std::is_gt(compare_numbers(value, *best));
    else if (value.is_string() && best->is_string())
      less = least ? value.as_string() < best->as_string() : value.as_string() > best->as_string();
    else
      return Error{ErrorKind::data, "wants numbers alone or texts alone"};
    if (less)
      best = &value;
  }
  return *best;
}

}  // namespace

Answer number(const sdk::Clock&, Arguments in) {
  if (in[0].is_number())
    return in[0];
  if (!in[0].is_string())
    return check_argument(ParameterKind::text, in[0]).error();
  TextCursor cursor{in[0].as_string()};
  cursor.skip_blanks();
  Value value;
  if (cursor.number_literal(value)) {
    cursor.skip_blanks();
    if (cursor.at_end())
      return value;
  }
  return Error{
    ErrorKind::data, "the text is no number", {.hint = "a number is written like -12.50 or 1e3"}};
}

Answer sum(const sdk::Clock&, Arguments in) {
  const auto values = flatten(in);
  if (const Value* wrong = first_non_number(values))
    return no_number(*wrong);
  return sum_of(values);
}

Answer avg(const sdk::Clock&, Arguments in) {
  const auto values = flatten(in);
  if (const Value* wrong = first_non_number(values))
    return no_number(*wrong);
  if (values.empty())
    return Value{};
  auto total = sum_of(values);
  if (!total)
    return total;
  const auto size = static_cast<std::int64_t>(values.size());
  if (total->is_integer() && total->as_integer() % size == 0)
    return Value{total->as_integer() / size};
  return Value{total->as_double() / static_cast<double>(size)};
}

Answer min(const sdk::Clock&, Arguments in) {
  return extreme(in, true);
}

Answer max(const sdk::Clock&, Arguments in) {
  return extreme(in, false);
}

Answer count(const sdk::Clock&, Arguments in) {
  return Value{flatten(in).size()};
}

}  // namespace millrace::dsl::bodies
