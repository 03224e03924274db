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
void append_quoted(std::string& out, std::string_view text);

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
  append_quoted(out, text);
}

// Appends `text` as an element of an array, so that it is neither NULL nor ends early.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  out += '"';
}

// An element of the array that stands for one parameter of many sets.
void append_element(std::string& out, const Value& value, Oid type) {
  if (value.is_null()) {
    out += "NULL";
    return;
  }
  if (value.is_integer()) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   value.as_integer());
    out.append(digits.data(), end.ptr);
    return;
  }
  const auto* info = find_type(type);
  if (value.is_string() && (info == nullptr || info->kind != TypeKind::json)) {
    append_quoted(out, value.as_string());
    return;
  }
  std::string text;
  append_text(text, value, type);
  append_quoted(out, text);
}

sdk::Error holds_nul(std::size_t parameter) {
  return {sdk::ErrorKind::execution,
          "parameter " + std::to_string(parameter + 1) + " holds a NUL character",
          {.hint = "PostgreSQL's text cannot hold one; take it out first", .code = "22021"}};
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

void EncodedParameters::start(std::size_t count) {
  if (texts_.size() < count)
    texts_.resize(count);
  // Nothing of an earlier statement stays, also where this one fails half-way.
  pointers_.assign(count, nullptr);
}

sdk::Status EncodedParameters::encode(const sdk::Parameters& parameters,
                                      std::span<const Oid> types) {
  start(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto& text = texts_[i];
    text.clear();
    if (parameters[i].is_null())
      continue;
    append_text(text, parameters[i], i < types.size() ? types[i] : 0);
    if (text.find('\0') != std::string::npos)
      return holds_nul(i);
    pointers_[i] = text.c_str();
  }
  return {};
}

sdk::Status EncodedParameters::encode_members(const std::vector<sdk::SetMember>& members,
                                              const sdk::SetForm& form,
                                              std::span<const Oid> types) {
  const auto count = form.parameters.size();
  start(form.rows ? count : count + 1);
  for (const auto& member : members) {
    if (member.statement->sets[member.set].size() != count)
      return sdk::Error{sdk::ErrorKind::execution, "a set has another number of parameters"};
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto& text = texts_[i];
    text = '{';
    for (const auto& member : members) {
      if (text.size() > 1)
        text += form.parameters[i].delimiter;
      append_element(text, member.statement->sets[member.set][i], types[i]);
    }
    text += '}';
    if (text.find('\0') != std::string::npos)
      return holds_nul(i);
    pointers_[i] = text.c_str();
  }
  if (!form.rows) {
    texts_[count] = std::to_string(members.size());
    pointers_[count] = texts_[count].c_str();
  }
  return {};
}

void EncodedParameters::add_types(const std::vector<Oid>* types) {
  const auto at = pointers_.size();
  if (texts_.size() <= at) {
    // The texts may move, and with them what points to them.
    std::vector<bool> given;
    for (const auto* pointer : pointers_)
      given.push_back(pointer != nullptr);
    texts_.resize(at + 1);
    for (std::size_t i = 0; i < at; ++i)
      pointers_[i] = given[i] ? texts_[i].c_str() : nullptr;
  }
  pointers_.push_back(nullptr);
  if (types == nullptr)
    return;
  auto& text = texts_[at];
  text = '{';
  for (const auto type : *types)
    text.append(text.size() > 1 ? "," : "").append(std::to_string(type));
  text += '}';
  pointers_[at] = text.c_str();
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
