#include "connectors/postgres/encode.hpp"

#include "connectors/sdk/json.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string_view>

namespace millrace::postgres {

namespace {

using sdk::Value;
using sdk::ValueKind;

void append_number(std::string& out, double number) {
  // Shortest text that reads back the same; whole numbers without ".0", which integer columns
  // refuse.
  std::array<char, 32> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.append(buffer.data(), written.ptr);
}

// "12.00" -> "12": integer columns refuse any fraction.
std::string_view without_zero_fraction(std::string_view digits) {
  const auto point = digits.find('.');
  const bool whole = point != std::string_view::npos
                     && digits.find_first_not_of('0', point + 1) == std::string_view::npos;
  return whole ? digits.substr(0, point) : digits;
}

void append_array(std::string& out, const Value& list, const TypeInfo& type);

void append_array_item(std::string& out, const Value& item, const TypeInfo& type) {
  if (item.is_null()) {
    out += "NULL";
    return;
  }
  const auto* element = find_type(type.element);
  if (item.is_array() && (element == nullptr || element->kind != TypeKind::json)) {
    append_array(out, item, type);
    return;
  }
  std::string text;
  append_text(text, item, type.element);
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  out += '"';
}

void append_array(std::string& out, const Value& list, const TypeInfo& type) {
  out += '{';
  bool first = true;
  for (const auto& item : list.items()) {
    if (!first)
      out += type.delimiter;
    first = false;
    append_array_item(out, item, type);
  }
  out += '}';
}

}  // namespace

void append_text(std::string& out, const Value& value, Oid type) {
  const auto* info = find_type(type);
  const auto kind = info == nullptr ? TypeKind::text : info->kind;
  if (kind == TypeKind::json) {
    sdk::append_json(out, value);
    return;
  }
  switch (value.kind()) {
  case ValueKind::null:
    break;
  case ValueKind::boolean:
    out += value.as_boolean() ? "true" : "false";
    break;
  case ValueKind::integer:
    out += std::to_string(value.as_integer());
    break;
  case ValueKind::real:
    append_number(out, value.as_double());
    break;
  case ValueKind::decimal:
    out += kind == TypeKind::integer ? without_zero_fraction(value.as_decimal())
                                     : value.as_decimal();
    break;
  case ValueKind::string:
    out += value.as_string();
    break;
  case ValueKind::array:
    if (kind == TypeKind::array)
      append_array(out, value, *info);
    else
      sdk::append_json(out, value);
    break;
  case ValueKind::object:
    sdk::append_json(out, value);
    break;
  }
}

sdk::Status EncodedParameters::encode(const sdk::Parameters& parameters,
                                      std::span<const Oid> types) {
  if (texts_.size() < parameters.size())
    texts_.resize(parameters.size());
  // Nothing of an earlier statement stays, also where this one fails half-way.
  pointers_.assign(parameters.size(), nullptr);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto& text = texts_[i];
    text.clear();
    if (parameters[i].is_null())
      continue;
    append_text(text, parameters[i], i < types.size() ? types[i] : 0);
    if (text.find('\0') != std::string::npos)
      return sdk::Error{
        sdk::ErrorKind::execution,
        "parameter " + std::to_string(i + 1) + " holds a NUL character",
        {.hint = "PostgreSQL's text cannot hold one; take it out first", .code = "22021"}};
    pointers_[i] = text.c_str();
  }
  return {};
}

Oid type_for(const Value& value) {
  switch (value.kind()) {
  case ValueKind::boolean:
    return oids::boolean;
  case ValueKind::integer:
    return std::in_range<std::int32_t>(value.as_integer()) ? oids::int4 : oids::int8;
  case ValueKind::real:
    return oids::float8;
  case ValueKind::decimal:
    return oids::numeric;
  case ValueKind::array:
  case ValueKind::object:
    return oids::jsonb;
  case ValueKind::null:
  case ValueKind::string:
    break;
  }
  return oids::text;
}

}  // namespace millrace::postgres
