// The stack on which the JSON reader gathers values until their container is complete. Internal to
// the SDK.
//
//   scratch.reserve(most);
//   const auto start = scratch.size();
//   scratch.push(1);
//   scratch.close(ValueKind::array, start);  // one array instead of the values since `start`
#pragma once

#include "connectors/sdk/value_node.hpp"

#include <memory>
#include <new>
#include <utility>

namespace millrace::sdk {

/// Values under construction: those of open containers, innermost last. They move by their bytes.
class Scratch {
public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  ~Scratch() { give_back(); }

  /// Room for `count` values in all; there must be none yet.
  void reserve(std::size_t count) {
    if (count <= capacity_)
      return;
    give_back();
    first_ = static_cast<Value*>(::operator new(count * sizeof(Value)));
    top_ = first_;
    capacity_ = count;
  }

  std::size_t size() const noexcept { return static_cast<std::size_t>(top_ - first_); }

  void push(Value value) noexcept { new (top_++) Value{std::move(value)}; }

  Value pop() noexcept {
    auto value = std::move(*--top_);
    std::destroy_at(top_);
    return value;
  }

  /// Replaces the values from `start` on by one container of them.
  void close(ValueKind kind, std::size_t start) {
    auto* const values = first_ + start;
    const auto count = static_cast<std::size_t>(top_ - values);
    if (count == 0) {
      push(ValueAccess::empty(kind));
      return;
    }
    auto* node = new_container(kind, kind == ValueKind::object ? count / 2 : count);
    relocate(values, count, node->items());
    node->size = node->capacity;
    top_ = values;
    push(ValueAccess::adopt(kind, node));
    if (kind == ValueKind::object)
      unite_members(node);
  }

  void clear() noexcept {
    std::destroy(first_, top_);
    top_ = first_;
  }

  void give_back() noexcept {
    clear();
    ::operator delete(std::exchange(first_, nullptr));
    top_ = nullptr;
    capacity_ = 0;
  }

private:
  Value* first_ = nullptr;
  Value* top_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace millrace::sdk
