// Replies as values, and values as arguments of commands.
#pragma once

#include "connectors/redis/resp.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::redis {

/// How the bytes of a key's value, an entry or a message are taken.
enum class Payload : std::uint8_t {
  json,
  text,   // UTF-8
  bytes,  // base64 text (RFC 4648) stands for them
};

void read_payload(sdk::ConfigReader& in, Payload& out, std::string_view doc);

/// @returns kind `data` where the bytes are not what the format says.
sdk::Result<sdk::Value> decode(Payload payload, std::string_view bytes);

/// Bytes that cannot be read, for people: invalid UTF-8 replaced.
sdk::Value raw_text(std::string_view bytes);

/// Any reply: texts as `payload` says, a map as an object.
sdk::Result<sdk::Value> to_value(Payload payload, const Reply& reply);

/// The bytes that `value` stands for. @param what for the message of an error: "value".
sdk::Result<std::string> encode(Payload payload, const sdk::Value& value, std::string_view what);

/// A key, a name or an argument: text as it is, anything else as JSON; null is no argument.
sdk::Result<std::string> encode_word(const sdk::Value& value, std::string_view what);

/// The error of a record that makes no command, or of bytes that make no record: kind `data`.
sdk::Error unfit(std::string message, std::string hint = {});

}  // namespace millrace::redis
