#include "connectors/sdk/number.hpp"
#include "connectors/sdk/value.hpp"
#include "connectors/sdk/value_node.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::sdk {

namespace {

/// Pairs of containers still to compare; a list instead of recursion, so that depth is no danger.
using Pending = std::vector<std::pair<ContainerNode*, ContainerNode*>>;

/// Equal as far as these two alone tell; puts the pair on the list where their insides decide.
bool equal_so_far(const Value& a, const Value& b, Pending& pending) {
  if (a.is_number() && b.is_number())
    return equal_numbers(a, b);
  if (a.kind() != b.kind())
    return false;
  switch (a.kind()) {
  case ValueKind::boolean:
    return a.as_boolean() == b.as_boolean();
  case ValueKind::string:
    return same_name(a, b);
  case ValueKind::array:
  case ValueKind::object:
    if (a.size() != b.size())
      return false;
    if (a.size() != 0)
      pending.emplace_back(ValueAccess::container(a), ValueAccess::container(b));
    return true;
  default:
    return true;
  }
}

bool equal_items(ContainerNode* a, ContainerNode* b, Pending& pending) {
  for (std::uint32_t i = 0; i < a->size; ++i) {
    if (!equal_so_far(a->items()[i], b->items()[i], pending))
      return false;
  }
  return true;
}

bool equal_members(ContainerNode* a, ContainerNode* b, Pending& pending) {
  for (std::uint32_t i = 0; i < a->size; ++i) {
    const auto& member = a->members()[i];
    // Most often both are in the same order.
    const Value* other = same_name(member.name, b->members()[i].name) ? &b->members()[i].value
                                                                      : find_member(b, member.name);
    if (!other || !equal_so_far(member.value, *other, pending))
      return false;
  }
  return true;
}

}  // namespace

bool operator==(const Value& a, const Value& b) noexcept {
  Pending pending;
  if (!equal_so_far(a, b, pending))
    return false;
  while (!pending.empty()) {
    const auto [x, y] = pending.back();
    pending.pop_back();
    if (x->kind == ValueKind::array ? !equal_items(x, y, pending) : !equal_members(x, y, pending))
      return false;
  }
  return true;
}

}  // namespace millrace::sdk
