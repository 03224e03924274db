// Values to what HTTP carries: headers, bodies and form fields.
#pragma once

#include "connectors/http/config.hpp"
#include "connectors/http/message.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <string>

namespace millrace::http {

/// Null adds none, a list one for each of its items.
/// @returns kind `data` for a text with a line break or another control character.
sdk::Status add_header(Headers& headers, const std::string& name, const sdk::Value& value);

/// @returns kind `data` where the value does not fit the format.
sdk::Result<std::string> encode_body(BodyFormat format, const sdk::Value& value);

const char* content_type_of(BodyFormat format);

/// "name=value", percent-encoded; of a list one for each of its items; of null nothing.
std::string form_field(const std::string& name, const sdk::Value& value);

}  // namespace millrace::http
