// What a Value keeps on the heap, and the one door to its words. Internal to the SDK: the value and
// JSON sources include it, nobody else.
//
//   auto* node = new_container(ValueKind::array, count);   // exactly sized, one reference
//   Value value = ValueAccess::adopt(ValueKind::array, node);
#pragma once

#include "connectors/sdk/value.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace millrace::sdk {

/// Every node begins with its count of references.
struct ValueNode {
  std::uint32_t references;
};

/// The bytes follow it.
struct TextNode : ValueNode {
  std::size_t size;

  char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
};

/// Positions of members by the hash of their name: open addressing, a power of two of slots.
struct MemberIndex;

/// An array or an object; `capacity` items or members follow it, `size` of them alive.
struct ContainerNode : ValueNode {
  std::uint32_t size;
  std::uint32_t capacity;
  ValueKind kind;

  union {
    MemberIndex* index;   // of an object of more than `unindexed_members` members; else null
    ContainerNode* next;  // while a tree of nodes is taken down
  };

  Value* items() noexcept { return reinterpret_cast<Value*>(this + 1); }

  Member* members() noexcept { return reinterpret_cast<Member*>(this + 1); }
};

/// Up to here a member is found by comparing names one after the other.
inline constexpr std::uint32_t unindexed_members = 16;

/// The two words of a text of at most 14 bytes.
std::array<std::uint64_t, 2> short_text_words(ValueKind kind, std::string_view text) noexcept;

ContainerNode* new_container(ValueKind kind, std::size_t capacity);
void delete_container(ContainerNode* node) noexcept;  // its items are gone already

/// Spreads a member's name over 64 bits, differently in each process so that input cannot be
/// made to collide.
std::uint64_t hash_name(const Value& name) noexcept;

/// Builds the index of an object; of members with one name the last value takes the first's place.
void index_members(ContainerNode* node);

/// Makes the names of a new object unique (the last value wins), and indexes a large one.
void unite_members(ContainerNode* node);

/// The value of that member of an object, or null.
const Value* find_member(ContainerNode* node, const Value& name) noexcept;

class ValueAccess {
public:
  static const std::array<std::uint64_t, 2>& words(const Value& value) noexcept {
    return value.words_;
  }

  static constexpr std::size_t short_capacity = Value::short_capacity;

  static bool on_heap(const Value& value) noexcept { return value.on_heap(); }

  static std::string_view text(const Value& value) noexcept { return value.text(); }

  template <class Node>
  static Node* node(const Value& value) noexcept {
    return std::bit_cast<Node*>(value.words_[1]);
  }

  /// The node of an array or object, or null.
  static ContainerNode* container(const Value& value) noexcept {
    return value.on_heap() ? node<ContainerNode>(value) : nullptr;
  }

  /// Takes over the caller's reference.
  static Value adopt(ValueKind kind, ValueNode* node) noexcept {
    Value result;
    result.words_ = {Value::tag_of(kind) | Value::heap_bit, reinterpret_cast<std::uint64_t>(node)};
    return result;
  }

  /// Gives the node to the caller and leaves null.
  static void forget(Value& value) noexcept { value.words_ = {}; }

  static Value of_words(const std::array<std::uint64_t, 2>& words) noexcept {
    Value result;
    result.words_ = words;
    return result;
  }

  static Value text_value(ValueKind kind, std::string_view text);

  /// An array or object without items.
  static Value empty(ValueKind kind) noexcept { return of_words({Value::tag_of(kind), 0}); }

  /// Makes the node of `value` its own, with room for `capacity` items or members.
  static ContainerNode* own(Value& value, std::size_t capacity);
};

/// Moves values to where none are yet, and leaves none behind: a Value moves by its bytes.
inline void relocate(const Value* from, std::size_t count, Value* to) noexcept {
  // NOLINTNEXTLINE(bugprone-undefined-memory-manipulation)
  std::memcpy(static_cast<void*>(to), from, count * sizeof(Value));
}

/// Not `==`, which GCC 12 makes a call of memcmp.
inline bool same_words(const std::array<std::uint64_t, 2>& a,
                       const std::array<std::uint64_t, 2>& b) noexcept {
  return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

inline bool same_name(const Value& a, const Value& b) noexcept {
  if (same_words(ValueAccess::words(a), ValueAccess::words(b)))
    return true;
  return ValueAccess::on_heap(a) && ValueAccess::on_heap(b)
         && ValueAccess::text(a) == ValueAccess::text(b);
}

}  // namespace millrace::sdk
