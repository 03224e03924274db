// Value: one JSON value, the currency of every pipeline. 16 bytes; copies share their payload, and
// a change copies it first where it is shared.
//
//   Value order = Value::object({{"id", 7}, {"lines", Value::array({1, 2})}});
//   if (const Value* id = order.find("id")) total += id->as_integer();
//   order.set("paid", true);
#pragma once

#include <concepts>
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

/// Reading a shared Value from several threads is safe; changing one is not. Accessors of a kind
/// assert that the value is of it. A moved-from Value is null.
class Value {
public:
  Value() noexcept = default;

  Value(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  Value(std::same_as<bool> auto value) noexcept;  // NOLINT(google-explicit-constructor)

  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  Value(T value) noexcept : Value{from_integer(static_cast<std::int64_t>(value))} {}  // NOLINT(google-explicit-constructor)

  Value(double value);                  // NOLINT(google-explicit-constructor)
  Value(std::string_view text);         // NOLINT(google-explicit-constructor)
  Value(const char* text);              // NOLINT(google-explicit-constructor)
  Value(const std::string& text);       // NOLINT(google-explicit-constructor)
  Value(const Value& other) noexcept;
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other) noexcept;
  Value& operator=(Value&& other) noexcept;
  ~Value();

  static Value from_integer(std::int64_t value) noexcept;

  /// A number kept as `digits`, which must be a valid JSON number. Becomes an integer or a real where that
  /// prints the very same text.
  static Value decimal(std::string_view digits);
  static Value array(std::initializer_list<Value> items = {});
  static Value object(std::initializer_list<Member> members = {});

  ValueKind kind() const noexcept;
  bool is_null() const noexcept { return kind() == ValueKind::null; }
  bool is_boolean() const noexcept { return kind() == ValueKind::boolean; }
  bool is_integer() const noexcept { return kind() == ValueKind::integer; }
  bool is_number() const noexcept;  // integer, real or decimal
  bool is_string() const noexcept { return kind() == ValueKind::string; }
  bool is_array() const noexcept { return kind() == ValueKind::array; }
  bool is_object() const noexcept { return kind() == ValueKind::object; }

  bool as_boolean() const noexcept;
  std::int64_t as_integer() const noexcept;
  double as_double() const noexcept;           // any number; a decimal is rounded
  std::string_view as_string() const noexcept;  // valid while this value lives and is not changed
  std::string_view as_decimal() const noexcept;

  /// Items of an array, members of an object, bytes of a string; else 0.
  std::size_t size() const noexcept;

  std::span<const Value> items() const noexcept;     // of an array
  std::span<const Member> members() const noexcept;  // of an object

  /// The member's value, or null where this is no object or has no such member.
  const Value* find(std::string_view name) const noexcept;

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

  /// Equal as JSON: numbers by value across kinds (1 == 1.0), objects regardless of order.
  friend bool operator==(const Value& a, const Value& b) noexcept;

  /// Bytes on the heap that this value keeps alive, roughly: for credit and limits.
  std::size_t heap_bytes() const noexcept;

private:
  // Layout: see value.cpp.
};

/// `name` is a string value.
struct Member {
  Member(std::string_view member_name, Value member_value)
    : name{member_name}, value{std::move(member_value)} {}
  Member(Value member_name, Value member_value)
    : name{std::move(member_name)}, value{std::move(member_value)} {}

  Value name;
  Value value;
};

}  // namespace millrace::sdk
