#include "connectors/sdk/json_convert.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace millrace::sdk {

namespace {

Value array_of(const auto& range, auto convert) {
  auto result = Value::array();
  result.reserve(range.size());
  for (const auto& item : range)
    result.push_back(convert(item));
  return result;
}

nlohmann::json decimal_to_nlohmann(const Value& value) {
  const auto digits = value.as_decimal();
  std::uint64_t integer = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), integer);
  if (error == std::errc{} && end == digits.data() + digits.size())
    return integer;
  return value.as_double();
}

}  // namespace

Value from_nlohmann(const nlohmann::json& json) {
  using Kind = nlohmann::json::value_t;
  switch (json.type()) {
  case Kind::boolean:
    return {json.get<bool>()};
  case Kind::number_integer:
    return {json.get<std::int64_t>()};
  case Kind::number_unsigned:
    return {json.get<std::uint64_t>()};
  case Kind::number_float:
    return {json.get<double>()};
  case Kind::string:
    return {json.get_ref<const std::string&>()};
  case Kind::array:
    return array_of(json, [](const auto& item) { return from_nlohmann(item); });
  case Kind::binary:
    return array_of(json.get_binary(), [](std::uint8_t byte) { return Value{byte}; });
  case Kind::object: {
    auto result = Value::object();
    result.reserve(json.size());
    for (const auto& [name, item] : json.items())
      result.set(name, from_nlohmann(item));
    return result;
  }
  case Kind::null:
  case Kind::discarded:
    break;
  }
  return {};
}

nlohmann::json to_nlohmann(const Value& value) {
  switch (value.kind()) {
  case ValueKind::boolean:
    return value.as_boolean();
  case ValueKind::integer:
    return value.as_integer();
  case ValueKind::real:
    return value.as_double();
  case ValueKind::decimal:
    return decimal_to_nlohmann(value);
  case ValueKind::string:
    return std::string{value.as_string()};
  case ValueKind::array: {
    auto result = nlohmann::json::array();
    for (const auto& item : value.items())
      result.push_back(to_nlohmann(item));
    return result;
  }
  case ValueKind::object: {
    auto result = nlohmann::json::object();
    for (const auto& member : value.members())
      result[std::string{member.name.as_string()}] = to_nlohmann(member.value);
    return result;
  }
  case ValueKind::null:
    break;
  }
  return nullptr;
}

}  // namespace millrace::sdk
