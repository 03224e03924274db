#include "connectors/redis/message.hpp"

#include "connectors/sdk/base64.hpp"
#include "connectors/sdk/format/clean_utf8.hpp"
#include "connectors/sdk/json.hpp"

#include <optional>
#include <utility>

namespace millrace::redis {
namespace {

// "3.25" and big numbers are JSON; "inf", "-inf" and "nan" are not.
sdk::Value number_value(const std::string& text) {
  auto value = sdk::parse_json(text);
  return value && value->is_number() ? *value : raw_text(text);
}

}  // namespace

void read_payload(sdk::ConfigReader& in, Payload& out, std::string_view doc) {
  in.choice<Payload>("format", out,
                     {{"json", Payload::json}, {"text", Payload::text}, {"bytes", Payload::bytes}},
                     doc);
}

sdk::Error unfit(std::string message, std::string hint) {
  return {sdk::ErrorKind::data, std::move(message), {.hint = std::move(hint)}};
}

sdk::Value raw_text(std::string_view bytes) {
  return sdk::is_utf8(bytes) ? sdk::Value{bytes} : sdk::Value{sdk::clean_utf8(bytes)};
}

sdk::Result<sdk::Value> decode(Payload payload, std::string_view bytes) {
  switch (payload) {
  case Payload::json: {
    auto value = sdk::parse_json(bytes);
    if (!value)
      return unfit(value.error().message(), "format: text takes it as it is");
    return value;
  }
  case Payload::text:
    if (!sdk::is_utf8(bytes))
      return unfit("the bytes are no UTF-8", "read them with format: bytes");
    return sdk::Value{bytes};
  default:
    return sdk::Value{sdk::to_base64(bytes)};
  }
}

sdk::Result<sdk::Value> to_value(Payload payload, const Reply& reply) {
  switch (reply.kind) {
  case Reply::Kind::null:
    return sdk::Value{};
  case Reply::Kind::integer:
    return sdk::Value{reply.integer};
  case Reply::Kind::boolean:
    return sdk::Value{reply.integer != 0};
  case Reply::Kind::number:
    return number_value(reply.text);
  case Reply::Kind::status:
  case Reply::Kind::error:  // within a reply: of a command of a script
    return raw_text(reply.text);
  case Reply::Kind::text:
    return decode(payload, reply.text);
  case Reply::Kind::map: {
    auto object = sdk::Value::object();
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
      const auto& name = reply.items[i];
      auto key = name.is(Reply::Kind::integer) ? std::to_string(name.integer)
                                               : sdk::clean_utf8(name.text);
      auto value = to_value(payload, reply.items[i + 1]);
      if (!value)
        return value;
      object.set(key, std::move(*value));
    }
    return object;
  }
  case Reply::Kind::array:
  case Reply::Kind::push: {
    auto array = sdk::Value::array();
    array.reserve(reply.items.size());
    for (const auto& item : reply.items) {
      auto value = to_value(payload, item);
      if (!value)
        return value;
      array.push_back(std::move(*value));
    }
    return array;
  }
  }
  return sdk::Value{};
}

sdk::Result<std::string> encode(Payload payload, const sdk::Value& value, std::string_view what) {
  if (payload == Payload::json)
    return sdk::to_json(value);
  if (payload == Payload::text)
    return encode_word(value, what);
  auto bytes = value.is_string() ? sdk::from_base64(value.as_string())
                                 : std::optional<std::string>{};
  if (!bytes)
    return unfit("the " + std::string{what} + " is no base64", "format: text sends it as it is");
  return std::move(*bytes);
}

sdk::Result<std::string> encode_word(const sdk::Value& value, std::string_view what) {
  if (value.is_null())
    return unfit("the " + std::string{what} + " is null for this record",
                 "give it another value, or drop such records before");
  return value.is_string() ? std::string{value.as_string()} : sdk::to_json(value);
}

}  // namespace millrace::redis
