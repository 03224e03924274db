#include "connectors/kafka/message.hpp"

#include "connectors/sdk/base64.hpp"
#include "connectors/sdk/format/clean_utf8.hpp"

#include <utility>

namespace millrace::kafka {
namespace {

std::string_view view_of(const void* bytes, std::size_t size) {
  return bytes ? std::string_view{static_cast<const char*>(bytes), size} : std::string_view{};
}

sdk::Value headers_of(const rd_kafka_message_t& message) {
  auto all = sdk::Value::object();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return all;
  const char* name = nullptr;
  const void* bytes = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    auto value = bytes ? raw_text(bytes, size) : sdk::Value{};
    const auto clean = sdk::clean_utf8(name);
    const auto* before = all.find(clean);
    if (!before) {
      all.set(clean, std::move(value));
    } else {
      auto list = before->is_array() ? *before : sdk::Value::array({*before});
      list.push_back(std::move(value));
      all.set(clean, std::move(list));
    }
  }
  return all;
}

}  // namespace

sdk::Error unfit(std::string message, std::string hint) {
  return {sdk::ErrorKind::data, std::move(message), {.hint = std::move(hint)}};
}

sdk::Value raw_text(const void* bytes, std::size_t size) {
  const auto text = view_of(bytes, size);
  return sdk::is_utf8(text) ? sdk::Value{text} : sdk::Value{sdk::clean_utf8(text)};
}

sdk::Result<sdk::Value> decode(Payload payload, sdk::JsonReader& json, const void* bytes,
                               std::size_t size) {
  if (!bytes)
    return sdk::Value{};
  const auto text = view_of(bytes, size);
  switch (payload) {
  case Payload::json:
    return json.parse(text);
  case Payload::text:
    if (!sdk::is_utf8(text))
      return unfit("the message is no UTF-8", "read it with format: bytes");
    return sdk::Value{text};
  default:
    return sdk::Value{sdk::to_base64(text)};
  }
}

sdk::Value meta_of(const rd_kafka_message_t& message, const std::string& topic) {
  rd_kafka_timestamp_type_t type{};
  const auto timestamp = rd_kafka_message_timestamp(&message, &type);
  return sdk::Value::object(
    {{"topic", topic},
     {"partition", message.partition},
     {"offset", message.offset},
     {"key", message.key ? raw_text(message.key, message.key_len) : sdk::Value{}},
     {"timestamp", type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? sdk::Value{} : sdk::Value{timestamp}},
     {"headers", headers_of(message)}});
}

std::optional<std::string> encode_key(const sdk::Value& value) {
  if (value.is_null())
    return std::nullopt;
  return value.is_string() ? std::string{value.as_string()} : sdk::to_json(value);
}

sdk::Result<std::optional<std::string>> encode(Payload payload, const sdk::Value& value,
                                               std::string_view what) {
  if (value.is_null())
    return std::optional<std::string>{};
  if (payload == Payload::json)
    return std::optional{sdk::to_json(value)};
  if (payload == Payload::text)
    return encode_key(value);
  if (!value.is_string())
    return unfit("the " + std::string{what} + " is no text, so it is no base64");
  auto bytes = sdk::from_base64(value.as_string());
  if (!bytes)
    return unfit("the " + std::string{what} + " is no base64", "format: text sends it as it is");
  return bytes;
}

}  // namespace millrace::kafka
