#include "connectors/kafka/message.hpp"

#include "connectors/sdk/format/clean_utf8.hpp"

#include <openssl/evp.h>
#include <utility>

namespace millrace::kafka {
namespace {

std::string_view view_of(const void* bytes, std::size_t size) {
  return bytes ? std::string_view{static_cast<const char*>(bytes), size} : std::string_view{};
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets(bytes),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 1, '\0');
  const int size = text.size() % 4 == 0
                     ? EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), octets(text),
                                       static_cast<int>(text.size()))
                     : -1;
  if (size < 0)
    return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
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
    return sdk::Value{to_base64(text)};
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
  auto bytes = from_base64(value.as_string());
  if (!bytes)
    return unfit("the " + std::string{what} + " is no base64", "format: text sends it as it is");
  return bytes;
}

}  // namespace millrace::kafka
