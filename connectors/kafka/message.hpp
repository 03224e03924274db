// Messages as records, and values as messages.
#pragma once

#include "connectors/kafka/config.hpp"
#include "connectors/kafka/handles.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace millrace::kafka {

/// What the bytes of a message stand for. Nothing (a tombstone) is null.
/// @returns kind `data` where they are not what the format says.
sdk::Result<sdk::Value> decode(Payload payload, sdk::JsonReader& json, const void* bytes,
                               std::size_t size);

/// Bytes that cannot be read, for people: invalid UTF-8 replaced.
sdk::Value raw_text(const void* bytes, std::size_t size);

/// {topic, partition, offset, key, timestamp, headers}. A header that stands there several times
/// has a list of values; what is no UTF-8 in keys and headers is replaced.
sdk::Value meta_of(const rd_kafka_message_t& message, const std::string& topic);

/// The bytes of a message; none for null.
/// @param what for the message of an error: "value".
sdk::Result<std::optional<std::string>> encode(Payload payload, const sdk::Value& value,
                                               std::string_view what);

/// Text as it is, anything else as JSON; none for null.
std::optional<std::string> encode_key(const sdk::Value& value);

/// The error of a record that makes no message, or of a message that makes no record: kind `data`.
sdk::Error unfit(std::string message, std::string hint = {});

}  // namespace millrace::kafka
