#include "connectors/postgres/binary.hpp"

#include "connectors/postgres/encode.hpp"
#include "connectors/sdk/hex.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace millrace::postgres {

namespace {

using sdk::Value;
using sdk::ValueKind;

namespace oid {
constexpr Oid bytea = 17;
constexpr Oid int2 = 21;
constexpr Oid object_id = 26;
constexpr Oid json = 114;
constexpr Oid float4 = 700;
constexpr Oid bpchar = 1042;
constexpr Oid varchar = 1043;
constexpr Oid date = 1082;
constexpr Oid time = 1083;
constexpr Oid timestamp = 1114;
constexpr Oid timestamptz = 1184;
constexpr Oid uuid = 2950;
}  // namespace oid

template <class T>
bool append_whole(std::string& out, const Value& value) {
  if (!value.is_integer() || !std::in_range<T>(value.as_integer()))
    return false;
  append_integer(out, static_cast<T>(value.as_integer()));
  return true;
}

// As the text that would be sent otherwise: that of a double reads back as the same one.
bool append_double(std::string& out, double number) {
  if (!std::isfinite(number))
    return false;
  append_integer(out, std::bit_cast<std::uint64_t>(number));
  return true;
}

// By way of the text, so that both round alike.
template <class T, class Bits>
bool append_float(std::string& out, const Value& value) {
  if (!value.is_number())
    return false;
  std::string text;
  append_text(text, value, oids::float8);
  T number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return false;
  append_integer(out, std::bit_cast<Bits>(number));
  return true;
}

bool append_hex(std::string& out, std::string_view digits) {
  const auto before = out.size();
  if (digits.size() % 2 != 0)
    return false;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = sdk::hex_digit(digits[i]);
    const int low = sdk::hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) {
      out.resize(before);
      return false;
    }
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

bool append_uuid(std::string& out, std::string_view text) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
    return false;
  std::string digits;
  for (const char c : text) {
    if (c != '-')
      digits += c;
  }
  return digits.size() == 32 && append_hex(out, digits);
}

template <class T>
bool append_optional(std::string& out, const std::optional<T>& number) {
  if (number)
    append_integer(out, *number);
  return number.has_value();
}

bool append_moment(std::string& out, const Value& value, Oid type) {
  if (!value.is_string())
    return false;
  const auto text = value.as_string();
  switch (type) {
  case oid::date:
    return append_optional(out, binary_date(text));
  case oid::time:
    return append_optional(out, binary_time(text));
  default:
    return append_optional(out, binary_timestamp(text, type == oid::timestamptz));
  }
}

bool append_numeric(std::string& out, const Value& value) {
  if (!value.is_number() && !value.is_string())
    return false;
  std::string text;
  append_text(text, value, oids::numeric);
  return append_binary_numeric(out, text);
}

// One dimension; lists of lists are the server's to understand.
bool append_array(std::string& out, const Value& value, const TypeInfo& type) {
  if (!value.is_array())
    return false;
  const auto before = out.size();
  const auto& items = value.items();
  append_integer<std::int32_t>(out, items.empty() ? 0 : 1);
  const auto has_null = out.size();
  append_integer<std::int32_t>(out, 0);
  append_integer(out, type.element);
  if (items.empty())
    return true;
  append_integer(out, static_cast<std::int32_t>(items.size()));
  append_integer<std::int32_t>(out, 1);  // the lower bound
  for (const auto& item : items) {
    if (item.is_null()) {
      out[has_null + 3] = 1;
      append_integer<std::int32_t>(out, -1);
      continue;
    }
    const auto start = out.size();
    append_integer<std::int32_t>(out, 0);
    if (item.is_array() || !append_binary(out, item, type.element)) {
      out.resize(before);
      return false;
    }
    put_integer(out.data() + start, static_cast<std::int32_t>(out.size() - start - 4));
  }
  return true;
}

}  // namespace

bool has_binary(Oid type) noexcept {
  static constexpr std::array known{oids::boolean, oid::bytea,   oids::int8,     oid::int2,
                                    oids::int4,    oids::text,   oid::object_id, oid::json,
                                    oid::float4,   oids::float8, oid::bpchar,    oid::varchar,
                                    oid::date,     oid::time,    oid::timestamp, oid::timestamptz,
                                    oids::numeric, oid::uuid,    oids::jsonb};
  for (const auto one : known) {
    if (one == type)
      return true;
  }
  const auto* info = find_type(type);
  return info != nullptr && info->kind == TypeKind::array && has_binary(info->element);
}

bool append_binary(std::string& out, const Value& value, Oid type) {
  switch (type) {
  case oids::boolean:
    if (value.kind() != ValueKind::boolean)
      return false;
    out += value.as_boolean() ? '\1' : '\0';
    return true;
  case oid::int2:
    return append_whole<std::int16_t>(out, value);
  case oids::int4:
    return append_whole<std::int32_t>(out, value);
  case oids::int8:
    return append_whole<std::int64_t>(out, value);
  case oid::object_id:
    return append_whole<std::uint32_t>(out, value);
  case oid::float4:
    return append_float<float, std::uint32_t>(out, value);
  case oids::float8:
    if (value.kind() == ValueKind::real || value.is_integer())
      return append_double(out, value.is_integer() ? static_cast<double>(value.as_integer())
                                                   : value.as_double());
    return append_float<double, std::uint64_t>(out, value);
  case oids::numeric:
    return append_numeric(out, value);
  case oids::jsonb:
    out += '\1';  // the version
    append_text(out, value, type);
    return true;
  case oid::json:
  case oids::text:
  case oid::bpchar:
  case oid::varchar:
    if (type != oid::json && value.is_string())
      out += value.as_string();
    else
      append_text(out, value, type);
    return true;
  case oid::bytea:
    return value.is_string() && value.as_string().starts_with("\\x")
           && append_hex(out, value.as_string().substr(2));
  case oid::uuid:
    return value.is_string() && append_uuid(out, value.as_string());
  case oid::date:
  case oid::time:
  case oid::timestamp:
  case oid::timestamptz:
    return append_moment(out, value, type);
  default:
    break;
  }
  const auto* info = find_type(type);
  return info != nullptr && info->kind == TypeKind::array && append_array(out, value, *info);
}

}  // namespace millrace::postgres
