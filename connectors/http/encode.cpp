#include "connectors/http/encode.hpp"

#include "connectors/http/target.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/base64.hpp"
#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <utility>

namespace millrace::http {
namespace {

sdk::Error unfit(std::string message, std::string hint = {}) {
  return {sdk::ErrorKind::data, std::move(message), {.hint = std::move(hint)}};
}

std::string text_of(const sdk::Value& value) {
  return value.is_string() ? std::string{value.as_string()} : sdk::to_json(value);
}

// RFC 9110, section 5.5: visible characters, spaces and tabs.
bool is_header_text(std::string_view text) {
  return std::ranges::all_of(
    text, [](char c) { return (c >= ' ' && c != 0x7F) || c == '\t' || (c & 0x80) != 0; });
}

}  // namespace

sdk::Status add_header(Headers& headers, const std::string& name, const sdk::Value& value) {
  if (value.is_null())
    return {};
  if (value.is_array()) {
    for (const auto& one : value.items()) {
      if (auto added = add_header(headers, name, one); !added)
        return added;
    }
    return {};
  }
  auto text = text_of(value);
  if (!is_header_text(text))
    return unfit("header '" + name + "' would hold a line break or another control character");
  headers.emplace_back(sdk::lower(name), std::move(text));
  return {};
}

sdk::Result<std::string> encode_body(BodyFormat format, const sdk::Value& value) {
  if (format == BodyFormat::json)
    return sdk::to_json(value);
  if (value.is_null())
    return std::string{};
  if (format == BodyFormat::form) {
    if (!value.is_object())
      return unfit("'body' is no mapping of fields for this record");
    std::string fields;
    for (const auto& [name, field] : value.members()) {
      const auto text = form_field(std::string{name.as_string()}, field);
      if (!text.empty())
        fields += (fields.empty() ? "" : "&") + text;
    }
    return fields;
  }
  if (!value.is_string())
    return unfit("'body' is no text for this record", "use format: json, or make a text of it");
  if (format == BodyFormat::text)
    return std::string{value.as_string()};
  auto bytes = sdk::from_base64(value.as_string());
  if (!bytes)
    return unfit("'body' is no base64 text for this record");
  return std::move(*bytes);
}

const char* content_type_of(BodyFormat format) {
  switch (format) {
  case BodyFormat::text:
    return "text/plain; charset=utf-8";
  case BodyFormat::form:
    return "application/x-www-form-urlencoded";
  case BodyFormat::bytes:
    return "application/octet-stream";
  default:
    return "application/json";
  }
}

std::string form_field(const std::string& name, const sdk::Value& value) {
  if (value.is_null())
    return {};
  if (!value.is_array())
    return percent_encoded(name) + "=" + percent_encoded(text_of(value));
  std::string all;
  for (const auto& item : value.items()) {
    const auto one = form_field(name, item);
    if (!one.empty())
      all += (all.empty() ? "" : "&") + one;
  }
  return all;
}

}  // namespace millrace::http
