#include "dsl/expression/jsonpath_select.hpp"

#include "connectors/sdk/ascii.hpp"

#include <algorithm>
#include <array>

namespace millrace::dsl::jsonpath {

using sdk::Member;
using sdk::Value;

namespace {

bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return sdk::to_lower(x) == sdk::to_lower(y); });
}

}  // namespace

const Value* find_member(const Value& object, std::string_view name, bool fold_case) {
  const Value* exact = object.find(name);
  if (exact || !fold_case || !object.is_object())
    return exact;
  const Value* found = nullptr;
  for (const Member& member : object.members()) {
    if (!equal_but_for_case(member.name.as_string(), name))
      continue;
    if (found)
      return nullptr;
    found = &member.value;
  }
  return found;
}

sdk::Error Selection::exhausted_error() const {
  return {sdk::ErrorKind::expression,
          "the path looks at more than " + std::to_string(max_steps) + " values",
          {.hint = "use fewer '..' and '*'"}};
}

sdk::Status Selection::select(const Query& query, std::vector<Node>& out) {
  run(query, nullptr, out);
  if (exhausted())
    return exhausted_error();
  return {};
}

const Value* Selection::find(const Query& query, const Value* current) {
  const Value* value = current;
  if (query.absolute)
    value = query.slot == sdk::no_slot ? &root_.whole() : &root_.slot(query.slot);
  for (std::size_t i = query.bound; value && i < query.segments.size(); ++i) {
    const Selector& selector = query.segments[i].selectors[0];
    value = selector.kind == Selector::Kind::name
              ? find_member(*value, selector.name, selector.fold_case)
              : find_item(*value, selector.index);
  }
  return value;
}

void Selection::run(const Query& query, const Value* current, std::vector<Node>& out) {
  std::vector<Node> nodes;
  if (query.absolute)
    nodes.push_back({query.slot == sdk::no_slot ? &root_.whole() : &root_.slot(query.slot), 0});
  else
    nodes.push_back({current, 0});
  std::vector<Node> next;
  for (std::size_t i = query.bound; i < query.segments.size(); ++i) {
    next.clear();
    for (const Node& node : nodes) {
      if (query.segments[i].descendant)
        apply_to_descendants(query.segments[i], node, next);
      else
        apply(query.segments[i], node, next);
      if (exhausted())
        return;
    }
    std::swap(nodes, next);
  }
  out.insert(out.end(), nodes.begin(), nodes.end());
}

bool Selection::selects_any(const Query& query, const Value* current) {
  if (query.singular)
    return find(query, current) != nullptr;
  // Where a node is does not matter inside a filter.
  const bool places = std::exchange(places_, false);
  std::vector<Node> nodes;
  run(query, current, nodes);
  places_ = places;
  return !nodes.empty();
}

void Selection::apply(const Segment& segment, Node node, std::vector<Node>& out) {
  for (const Selector& selector : segment.selectors)
    apply(selector, node, out);
}

void Selection::apply_to_descendants(const Segment& segment, Node node, std::vector<Node>& out) {
  // A stack of our own: values can be nested deeper than the thread's stack bears.
  std::vector<Node> pending{node};
  std::vector<Node> children;
  while (!pending.empty() && !exhausted()) {
    const Node next = pending.back();
    pending.pop_back();
    apply(segment, next, out);
    children.clear();
    if (next.value->is_array()) {
      std::size_t index = 0;
      for (const Value& item : next.value->items())
        push(next, item, nullptr, index++, children);
    } else if (next.value->is_object()) {
      for (const Member& member : next.value->members())
        push(next, member.value, &member.name, 0, children);
    }
    pending.insert(pending.end(), children.rbegin(), children.rend());
  }
}

void Selection::push(Node parent, const Value& value, const Value* name, std::size_t index,
                     std::vector<Node>& out) {
  ++steps_;
  if (exhausted())
    return;
  std::uint32_t place = 0;
  if (places_) {
    trail_.push_back({parent.place, name, index});
    place = static_cast<std::uint32_t>(trail_.size());
  }
  out.push_back({&value, place});
}

void Selection::apply(const Selector& selector, Node node, std::vector<Node>& out) {
  const Value& value = *node.value;
  switch (selector.kind) {
  case Selector::Kind::name:
    if (const Value* found = find_member(value, selector.name, selector.fold_case)) {
      const Value* name = nullptr;
      if (places_) {
        const auto members = value.members();
        name = &std::find_if(members.begin(), members.end(), [&](const Member& member) {
                  return &member.value == found;
                })->name;
      }
      push(node, *found, name, 0, out);
    }
    break;
  case Selector::Kind::index:
    if (const Value* found = find_item(value, selector.index))
      push(node, *found, nullptr, static_cast<std::size_t>(found - value.items().data()), out);
    break;
  case Selector::Kind::wildcard:
    if (value.is_array()) {
      std::size_t index = 0;
      for (const Value& item : value.items())
        push(node, item, nullptr, index++, out);
    } else if (value.is_object()) {
      for (const Member& member : value.members())
        push(node, member.value, &member.name, 0, out);
    }
    break;
  case Selector::Kind::slice:
    apply_slice(selector, node, out);
    break;
  case Selector::Kind::filter:
    apply_filter(selector, node, out);
    break;
  }
}

// Section 2.3.4.2.2.
void Selection::apply_slice(const Selector& selector, Node node, std::vector<Node>& out) {
  if (!node.value->is_array() || selector.step == 0)
    return;
  const auto items = node.value->items();
  const auto size = static_cast<std::int64_t>(items.size());
  const auto normalise = [&](std::int64_t i) { return i >= 0 ? i : size + i; };
  const auto take = [&](std::int64_t i) {
    const auto index = static_cast<std::size_t>(i);
    push(node, items[index], nullptr, index, out);
  };
  if (selector.step > 0) {
    const std::int64_t lower = std::clamp<std::int64_t>(normalise(selector.start.value_or(0)), 0,
                                                        size);
    const std::int64_t upper = std::clamp<std::int64_t>(normalise(selector.end.value_or(size)), 0,
                                                        size);
    for (std::int64_t i = lower; i < upper; i += selector.step)
      take(i);
  } else {
    const std::int64_t upper = std::clamp<std::int64_t>(
      normalise(selector.start.value_or(size - 1)), -1, size - 1);
    const std::int64_t lower = std::clamp<std::int64_t>(normalise(selector.end.value_or(-size - 1)),
                                                        -1, size - 1);
    for (std::int64_t i = upper; i > lower; i += selector.step)
      take(i);
  }
}

void Selection::apply_filter(const Selector& selector, Node node, std::vector<Node>& out) {
  const Value& value = *node.value;
  if (value.is_array()) {
    std::size_t index = 0;
    for (const Value& item : value.items()) {
      if (++steps_; exhausted())
        return;
      if (test(*selector.filter, &item))
        push(node, item, nullptr, index, out);
      ++index;
    }
  } else if (value.is_object()) {
    for (const Member& member : value.members()) {
      if (++steps_; exhausted())
        return;
      if (test(*selector.filter, &member.value))
        push(node, member.value, &member.name, 0, out);
    }
  }
}

// Section 2.7.
void append_normalized_name(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : text) {
    switch (c) {
    case '\b':
      out += "\\b";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\'':
      out += "\\'";
      break;
    case '\\':
      out += "\\\\";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        out += "\\u00";
        out += digits[static_cast<unsigned char>(c) >> 4U];
        out += digits[static_cast<unsigned char>(c) & 15U];
      } else {
        out += c;
      }
    }
  }
}

std::string Selection::normalized_path(std::uint32_t place) const {
  std::vector<std::uint32_t> places;
  for (std::uint32_t at = place; at != 0; at = trail_[at - 1].parent)
    places.push_back(at);
  std::reverse(places.begin(), places.end());
  std::string path = "$";
  for (const auto at : places) {
    const Step& step = trail_[at - 1];
    if (step.name) {
      path += "['";
      append_normalized_name(path, step.name->as_string());
      path += "']";
    } else {
      path += '[' + std::to_string(step.index) + ']';
    }
  }
  return path;
}

}  // namespace millrace::dsl::jsonpath
