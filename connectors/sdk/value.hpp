// Value: one JSON value, the currency of every pipeline. 16 bytes; copies share their payload, and
// a change copies it first where it is shared.
//
//   Value order = Value::object({{"id", 7}, {"lines", Value::array({1, 2})}});
//   if (const Value* id = order.find("id")) total += id->as_integer();
//   order.set("paid", true);
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::sdk {

enum class ValueKind : std::uint8_t {
  null,
  boolean,
  integer,  // 64 bit, exact
  real,     // a double that says its digits exactly
  decimal,  // a JSON number whose digits a double would lose, kept as its text
  string,   // UTF-8
  array,
  object,  // members in the order of insertion, names unique
};

/// "null", "boolean", "integer", "number" (real and decimal), "string", "array", "object".
std::string_view to_string(ValueKind kind) noexcept;

struct Member;
struct ValueNode;
class ValueAccess;

/// Reading a shared Value from several threads is safe; changing one is not. Accessors of a kind
/// assert that the value is of it. A moved-from Value is null.
class Value {
public:
  Value() noexcept = default;

  Value(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  // NOLINTNEXTLINE(google-explicit-constructor)
  Value(std::same_as<bool> auto value) noexcept
    : words_{tag_of(ValueKind::boolean), value ? 1U : 0U} {}

  /// An unsigned number beyond int64 becomes a decimal.
  template <std::integral T>

  requires(!std::same_as<T, bool> && !std::same_as<T, char>)
    Value(T value)  // NOLINT(google-explicit-constructor)
    : Value{std::in_range<std::int64_t>(value) ? from_integer(static_cast<std::int64_t>(value))
                                               : from_large(static_cast<std::uint64_t>(value))} {}

  Value(double value) noexcept  // NOLINT(google-explicit-constructor)
    : words_{tag_of(ValueKind::real), std::bit_cast<std::uint64_t>(value)} {}

  Value(std::string_view text);    // NOLINT(google-explicit-constructor)
  Value(const char* text);         // NOLINT(google-explicit-constructor)
  Value(const std::string& text);  // NOLINT(google-explicit-constructor)

  Value(const Value& other) noexcept : words_{other.words_} {
    if (on_heap())
      retain();
  }

  Value(Value&& other) noexcept : words_{std::exchange(other.words_, {})} {}

  Value& operator=(const Value& other) noexcept {
    Value copy{other};
    std::swap(words_, copy.words_);
    return *this;
  }

  Value& operator=(Value&& other) noexcept {
    Value moved{std::move(other)};
    std::swap(words_, moved.words_);
    return *this;
  }

  ~Value() {
    if (on_heap())
      release();
  }

  static Value from_integer(std::int64_t value) noexcept {
    Value result;
    result.words_ = {tag_of(ValueKind::integer), static_cast<std::uint64_t>(value)};
    return result;
  }

  /// A number kept as `digits`, which must be a valid JSON number. Becomes an integer or a real
  /// where that prints the very same text.
  static Value decimal(std::string_view digits);
  static Value array(std::initializer_list<Value> items = {});
  static Value object(std::initializer_list<Member> members = {});

  ValueKind kind() const noexcept { return static_cast<ValueKind>(words_[0] & kind_mask); }

  bool is_null() const noexcept { return kind() == ValueKind::null; }

  bool is_boolean() const noexcept { return kind() == ValueKind::boolean; }

  bool is_integer() const noexcept { return kind() == ValueKind::integer; }

  /// Integer, real or decimal.
  bool is_number() const noexcept {
    return kind() >= ValueKind::integer && kind() <= ValueKind::decimal;
  }

  bool is_string() const noexcept { return kind() == ValueKind::string; }

  bool is_array() const noexcept { return kind() == ValueKind::array; }

  bool is_object() const noexcept { return kind() == ValueKind::object; }

  bool as_boolean() const noexcept {
    assert(is_boolean());
    return words_[1] != 0;
  }

  std::int64_t as_integer() const noexcept {
    assert(is_integer());
    return static_cast<std::int64_t>(words_[1]);
  }

  /// Of any number. A decimal is rounded to the nearest double, beyond its range to an infinity.
  double as_double() const noexcept;

  /// Valid while this very object lives and is neither changed nor moved (short texts lie in it).
  std::string_view as_string() const noexcept {
    assert(is_string());
    return text();
  }

  std::string_view as_decimal() const noexcept {
    assert(kind() == ValueKind::decimal);
    return text();
  }

  /// Items of an array, members of an object, bytes of a string; else 0.
  std::size_t size() const noexcept;

  std::span<const Value> items() const noexcept;     // of an array
  std::span<const Member> members() const noexcept;  // of an object

  /// The member's value, or null where this is no object or has no such member.
  const Value* find(std::string_view name) const noexcept;

  /// The same for a name that is a string Value already: quicker, for names that are looked up
  /// often (a compiled path keeps its names so).
  const Value* find_named(const Value& name) const noexcept;

  /// Appends to an array.
  void push_back(Value item);

  /// Adds or replaces a member of an object; keeps its place where it was there.
  void set(std::string_view name, Value value);

  /// Removes a member; @returns whether it was there.
  bool erase(std::string_view name);

  /// Room for so many items or members.
  void reserve(std::size_t count);

  /// Changeable access; copies what is shared first. The item or member must be there.
  Value& mutable_item(std::size_t index);
  Value& mutable_member(std::string_view name);

  /// Equal as JSON: numbers by value across kinds (1 == 1.0 == 1.00), objects regardless of order.
  /// A real stands for the digits it is written with, so 0.10 equals the double 0.1. NaN equals
  /// nothing. Never rounds: 9007199254740993 is not 9007199254740992.0.
  friend bool operator==(const Value& a, const Value& b) noexcept;

  /// Bytes on the heap that this value keeps alive, roughly: for credit and limits.
  std::size_t heap_bytes() const noexcept;

private:
  friend class ValueAccess;

  // Byte 0 is the kind and whether the payload is on the heap. A text of up to 14 bytes has its
  // length in byte 1 and its bytes from byte 2 on, the rest zero: two of them compare as two words.
  // Everything else has its payload in word 1: a number, or a pointer to a counted node. An empty
  // array or object may have no node.
  static_assert(std::endian::native == std::endian::little,
                "bytes of word 0 are the low ones first");

  static constexpr std::uint64_t kind_mask = 7;
  static constexpr std::uint64_t heap_bit = 8;
  static constexpr std::size_t short_capacity = 14;

  static constexpr std::uint64_t tag_of(ValueKind kind) noexcept {
    return static_cast<std::uint64_t>(kind);
  }

  bool on_heap() const noexcept { return (words_[0] & heap_bit) != 0; }

  std::string_view text() const noexcept {
    if (on_heap())
      return heap_text();
    return {reinterpret_cast<const char*>(words_.data()) + 2, (words_[0] >> 8) & 0xFF};
  }

  // Beyond int64: a decimal.
  static Value from_large(std::uint64_t value);

  std::string_view heap_text() const noexcept;
  void retain() const noexcept;
  void release() noexcept;

  std::array<std::uint64_t, 2> words_{};
};

static_assert(sizeof(Value) == 16);

/// `name` is a string value.
struct Member {
  Member(Value member_name, Value member_value)
    : name{std::move(member_name)}, value{std::move(member_value)} {}

  Value name;
  Value value;
};

}  // namespace millrace::sdk
