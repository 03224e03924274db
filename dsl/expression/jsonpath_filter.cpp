// Filters: comparisons (RFC 9535, section 2.3.5.2.2) and functions (section 2.4).
#include "dsl/expression/iregexp.hpp"
#include "dsl/expression/jsonpath_select.hpp"
#include "dsl/expression/numbers.hpp"
#include "dsl/expression/unicode.hpp"

#include <utility>

namespace millrace::dsl::jsonpath {

using sdk::Value;

/// A value or Nothing; results of functions are kept in `own`.
struct Selection::Comparand {
  const Value* value = nullptr;
  Value own;

  void set(Value result) {
    own = std::move(result);
    value = &own;
  }
};

bool Selection::test(const Logical& logical, const Value* current) {
  switch (logical.kind) {
  case Logical::Kind::any_of:
    for (const Logical& part : logical.parts) {
      if (test(part, current))
        return true;
    }
    return false;
  case Logical::Kind::all_of:
    for (const Logical& part : logical.parts) {
      if (!test(part, current))
        return false;
    }
    return true;
  case Logical::Kind::negation:
    return !test(logical.parts[0], current);
  case Logical::Kind::comparison:
    return compare(logical, current);
  case Logical::Kind::test:
    return logical.left.kind == Operand::Kind::query ? selects_any(logical.left.query, current)
                                                     : call_test(logical.left.call, current);
  case Logical::Kind::constant:
    return logical.truth;
  }
  return false;
}

bool Selection::compare(const Logical& logical, const Value* current) {
  Comparand left;
  Comparand right;
  evaluate(logical.left, current, left);
  evaluate(logical.right, current, right);
  const auto equal = [&] {
    return left.value && right.value ? *left.value == *right.value : left.value == right.value;
  };
  const auto less = [&](const Value* a, const Value* b) {
    if (!a || !b)
      return false;
    if (a->is_number() && b->is_number())
      return std::is_lt(compare_numbers(*a, *b));
    // The order of UTF-8 bytes is that of the code points.
    return a->is_string() && b->is_string() && a->as_string() < b->as_string();
  };
  switch (logical.comparison) {
  case Comparison::equal:
    return equal();
  case Comparison::not_equal:
    return !equal();
  case Comparison::less:
    return less(left.value, right.value);
  case Comparison::less_equal:
    return less(left.value, right.value) || equal();
  case Comparison::greater:
    return less(right.value, left.value);
  case Comparison::greater_equal:
    return less(right.value, left.value) || equal();
  }
  return false;
}

void Selection::evaluate(const Operand& operand, const Value* current, Comparand& out) {
  switch (operand.kind) {
  case Operand::Kind::literal:
    out.value = &operand.literal;
    break;
  case Operand::Kind::query:
    out.value = find(operand.query, current);
    break;
  case Operand::Kind::call:
    call(operand.call, current, out);
    break;
  }
}

void Selection::call(const FunctionCall& call, const Value* current, Comparand& out) {
  const Operand& argument = call.arguments[0];
  if (call.function == Function::length) {
    Comparand text;
    evaluate(argument, current, text);
    if (!text.value)
      return;
    if (text.value->is_string())
      out.set(Value{count_code_points(text.value->as_string())});
    else if (text.value->is_array() || text.value->is_object())
      out.set(Value{text.value->size()});
    return;
  }
  if (call.function == Function::value && argument.query.singular) {
    out.value = find(argument.query, current);
    return;
  }
  const bool places = std::exchange(places_, false);
  std::vector<Node> nodes;
  run(argument.query, current, nodes);
  places_ = places;
  if (call.function == Function::count)
    out.set(Value{nodes.size()});
  else if (nodes.size() == 1)
    out.value = nodes[0].value;
}

bool Selection::call_test(const FunctionCall& call, const Value* current) {
  Comparand text;
  evaluate(call.arguments[0], current, text);
  if (!text.value || !text.value->is_string())
    return false;
  const IRegexp* regex = call.pattern.get();
  std::shared_ptr<const IRegexp> dynamic;
  if (!regex && call.arguments[1].kind != Operand::Kind::literal) {
    Comparand pattern;
    evaluate(call.arguments[1], current, pattern);
    if (pattern.value && pattern.value->is_string())
      dynamic = IRegexp::cached(pattern.value->as_string());
    regex = dynamic.get();
  }
  // An invalid pattern makes the result LogicalFalse (sections 2.4.6 and 2.4.7).
  if (!regex)
    return false;
  return call.function == Function::match ? regex->matches(text.value->as_string())
                                          : regex->found_in(text.value->as_string());
}

}  // namespace millrace::dsl::jsonpath
