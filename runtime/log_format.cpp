#include "connectors/sdk/json.hpp"
#include "runtime/logging.hpp"

#include <algorithm>

namespace millrace::runtime {

namespace {

/// Text that reads as one word and needs no quotes; everything else is written as JSON, which keeps
/// line breaks and control characters out of the log.
bool is_plain_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > 0x20 && c != '"' && c != '=' && c != '\\' && c != 0x7f;
  });
}

std::string one_line(std::string_view text) {
  const bool clean = std::ranges::all_of(text,
                                         [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (clean)
    return std::string{text};
  std::string quoted;
  sdk::append_json_string(quoted, text);
  return quoted;
}

}  // namespace

std::string format_text(std::string_view event, std::span<const sdk::LogField> fields) {
  std::string line = one_line(event);
  for (const auto& field : fields) {
    line.append(" ").append(field.name).append("=");
    if (field.value.is_string() && is_plain_word(field.value.as_string()))
      line += field.value.as_string();
    else
      sdk::append_json(line, field.value);
  }
  return line;
}

std::string format_json(std::string_view event, std::span<const sdk::LogField> fields) {
  std::string members{"\"event\":"};
  sdk::append_json_string(members, event);
  for (const auto& field : fields) {
    members += ',';
    sdk::append_json_string(members, field.name);
    members += ':';
    sdk::append_json(members, field.value);
  }
  return members;
}

}  // namespace millrace::runtime
