#include "connectors/sdk/value.hpp"

#include "connectors/sdk/number.hpp"
#include "connectors/sdk/value_node.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <limits>
#include <new>
#include <stdexcept>
#include <vector>

namespace millrace::sdk {

namespace {

constexpr std::array<std::string_view, 8> kind_names{"null",   "boolean", "integer", "number",
                                                     "number", "string",  "array",   "object"};

bool is_only_reference(ValueNode* node) noexcept {
  return std::atomic_ref{node->references}.load(std::memory_order_acquire) == 1;
}

/// @returns whether that was the last reference.
bool drop_reference(ValueNode* node) noexcept {
  // The only holder needs no locked instruction: nobody else can take a reference meanwhile.
  return is_only_reference(node)
         || std::atomic_ref{node->references}.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

std::size_t item_bytes(ValueKind kind) noexcept {
  return kind == ValueKind::object ? sizeof(Member) : sizeof(Value);
}

/// The values of a container as one run: an object's names and values take turns.
std::span<Value> values_of(ContainerNode* node) noexcept {
  return {node->items(), node->size * item_bytes(node->kind) / sizeof(Value)};
}

/// Frees a container and all that only it holds. Works down a list instead of calling itself, so
/// that the depth of a value cannot exhaust the stack.
void take_down(ContainerNode* node) noexcept {
  ContainerNode* pending = nullptr;
  for (;;) {
    for (auto& value : values_of(node)) {
      if (!ValueAccess::on_heap(value))
        continue;
      auto* child = ValueAccess::node<ValueNode>(value);
      if (!drop_reference(child))
        continue;
      if (!value.is_array() && !value.is_object()) {
        ::operator delete(child);
        continue;
      }
      auto* container = static_cast<ContainerNode*>(child);
      if (container->index) {
        ::operator delete(container->index);
      }
      container->next = pending;
      pending = container;
    }
    ::operator delete(node);
    if (!pending)
      return;
    node = pending;
    pending = node->next;
  }
}

}  // namespace

std::string_view to_string(ValueKind kind) noexcept {
  return kind_names[static_cast<std::size_t>(kind)];
}

std::array<std::uint64_t, 2> short_text_words(ValueKind kind, std::string_view text) noexcept {
  const auto* bytes = text.data();
  const auto size = text.size();
  std::uint64_t low = 0;   // bytes 0 to 7
  std::uint64_t high = 0;  // bytes 8 to 13
  if (size >= 8) {
    std::memcpy(&low, bytes, 8);
    std::memcpy(&high, bytes + size - 8, 8);
    high = high >> (8 * (15 - size)) >> 8;
  } else if (size >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, bytes, 4);
    std::memcpy(&last, bytes + size - 4, 4);
    low = first | static_cast<std::uint64_t>(last) << (8 * (size - 4));
  } else {
    for (std::size_t i = 0; i < size; ++i)
      low |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return {static_cast<std::uint64_t>(kind) | size << 8 | low << 16, low >> 48 | high << 16};
}

ContainerNode* new_container(ValueKind kind, std::size_t capacity) {
  if (capacity > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error{"more than 2^32 - 1 items in one value"};
  void* memory = ::operator new(sizeof(ContainerNode) + capacity * item_bytes(kind));
  return new (memory)
    ContainerNode{{1}, 0, static_cast<std::uint32_t>(capacity), kind, {.index = nullptr}};
}

void delete_container(ContainerNode* node) noexcept {
  ::operator delete(node->index);
  ::operator delete(node);
}

Value ValueAccess::text_value(ValueKind kind, std::string_view text) {
  if (text.size() <= Value::short_capacity)
    return of_words(short_text_words(kind, text));
  auto* node = new (::operator new(sizeof(TextNode) + text.size())) TextNode{{1}, text.size()};
  std::memcpy(node->data(), text.data(), text.size());
  return adopt(kind, node);
}

ContainerNode* ValueAccess::own(Value& value, std::size_t capacity) {
  auto* old = container(value);
  if (old && old->capacity >= capacity && is_only_reference(old))
    return old;
  auto* node = new_container(value.kind(), std::max<std::size_t>(capacity, old ? old->size : 0));
  if (old) {
    if (is_only_reference(old)) {
      relocate(old->items(), values_of(old).size(), node->items());
      node->size = old->size;
      node->index = std::exchange(old->index, nullptr);
      ::operator delete(old);
    } else {
      node->size = old->size;
      std::uninitialized_copy_n(old->items(), values_of(old).size(), node->items());
      if (old->index) {
        try {
          index_members(node);
        } catch (...) {
          take_down(node);
          throw;
        }
      }
      value.release();
    }
  }
  value.words_ = {Value::tag_of(value.kind()) | Value::heap_bit,
                  reinterpret_cast<std::uint64_t>(node)};
  return node;
}

Value::Value(std::string_view text) : Value{ValueAccess::text_value(ValueKind::string, text)} {
}

Value::Value(const char* text) : Value{std::string_view{text}} {
}

Value::Value(const std::string& text) : Value{std::string_view{text}} {
}

Value Value::from_large(std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return ValueAccess::text_value(ValueKind::decimal, {digits.data(), end});
}

Value Value::decimal(std::string_view digits) {
  const auto number = read_number(digits);
  assert(number.kind != ValueKind::null && "not a JSON number");
  switch (number.kind) {
  case ValueKind::integer:
    return from_integer(number.integer);
  case ValueKind::real:
    return {number.real};
  case ValueKind::decimal:
    return ValueAccess::text_value(ValueKind::decimal, digits);
  default:
    return {};
  }
}

Value Value::array(std::initializer_list<Value> items) {
  auto result = ValueAccess::empty(ValueKind::array);
  result.reserve(items.size());
  for (const auto& item : items)
    result.push_back(item);
  return result;
}

Value Value::object(std::initializer_list<Member> members) {
  auto result = ValueAccess::empty(ValueKind::object);
  result.reserve(members.size());
  for (const auto& member : members)
    result.set(member.name.as_string(), member.value);
  return result;
}

double Value::as_double() const noexcept {
  switch (kind()) {
  case ValueKind::integer:
    return static_cast<double>(as_integer());
  case ValueKind::real:
    return std::bit_cast<double>(words_[1]);
  case ValueKind::decimal:
    return nearest_double(text());
  default:
    assert(false && "not a number");
    return 0;
  }
}

std::size_t Value::size() const noexcept {
  switch (kind()) {
  case ValueKind::string:
    return text().size();
  case ValueKind::array:
  case ValueKind::object: {
    const auto* node = ValueAccess::container(*this);
    return node ? node->size : 0;
  }
  default:
    return 0;
  }
}

std::span<const Value> Value::items() const noexcept {
  assert(is_array());
  auto* node = is_array() ? ValueAccess::container(*this) : nullptr;
  return node ? std::span<const Value>{node->items(), node->size} : std::span<const Value>{};
}

std::span<const Member> Value::members() const noexcept {
  assert(is_object());
  auto* node = is_object() ? ValueAccess::container(*this) : nullptr;
  return node ? std::span<const Member>{node->members(), node->size} : std::span<const Member>{};
}

void Value::push_back(Value item) {
  assert(is_array());
  const auto count = size();
  auto* node = ValueAccess::container(*this);
  node = ValueAccess::own(
    *this, node && count < node->capacity ? count + 1 : std::max<std::size_t>(4, 2 * count));
  new (node->items() + node->size) Value{std::move(item)};
  ++node->size;
}

void Value::reserve(std::size_t count) {
  assert(is_array() || is_object());
  if (count > 0)
    ValueAccess::own(*this, count);
}

Value& Value::mutable_item(std::size_t index) {
  assert(is_array() && index < size());
  return ValueAccess::own(*this, 0)->items()[index];
}

std::size_t Value::heap_bytes() const noexcept {
  if (!on_heap())
    return 0;
  if (!is_array() && !is_object())
    return sizeof(TextNode) + text().size();
  std::size_t total = 0;
  std::vector<ContainerNode*> pending;
  for (auto* node = ValueAccess::container(*this);;) {
    total += sizeof(ContainerNode) + node->capacity * item_bytes(node->kind);
    for (const auto& value : values_of(node)) {
      if (!value.on_heap())
        continue;
      if (value.is_array() || value.is_object())
        pending.push_back(ValueAccess::container(value));
      else
        total += sizeof(TextNode) + value.text().size();
    }
    if (pending.empty())
      return total;
    node = pending.back();
    pending.pop_back();
  }
}

std::string_view Value::heap_text() const noexcept {
  auto* node = ValueAccess::node<TextNode>(*this);
  return {node->data(), node->size};
}

void Value::retain() const noexcept {
  std::atomic_ref{ValueAccess::node<ValueNode>(*this)->references}.fetch_add(
    1, std::memory_order_relaxed);
}

// What it holds is gone afterwards, so it is not const.
void Value::release() noexcept {  // NOLINT(readability-make-member-function-const)
  auto* node = ValueAccess::node<ValueNode>(*this);
  if (!drop_reference(node))
    return;
  if (!is_array() && !is_object()) {
    ::operator delete(node);
    return;
  }
  auto* container = static_cast<ContainerNode*>(node);
  ::operator delete(container->index);
  take_down(container);
}

}  // namespace millrace::sdk
