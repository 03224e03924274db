#include "connectors/sdk/format/record_encoder.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::sdk {

RecordEncoder::RecordEncoder(const WriteFormat& format)
  : format_{format.format}, csv_{format.csv}, columns_given_{!format.csv.columns.empty()} {
}

void RecordEncoder::set_columns(std::vector<std::string> columns) {
  if (!columns_given_)
    csv_.columns = std::move(columns);
}

std::string RecordEncoder::header() const {
  std::string line;
  if (format_ != Format::csv || !csv_.header || csv_.columns.empty())
    return line;
  for (const std::string& column : csv_.columns) {
    append_field(line, column);
    line += csv_.delimiter;
  }
  line.back() = '\n';
  return line;
}

Status RecordEncoder::append(std::string& out, const Value& value) {
  switch (format_) {
  case Format::jsonl:
    append_json(out, value);
    break;
  case Format::text:
    if (value.is_string())
      out += value.as_string();
    else
      append_json(out, value);
    break;
  case Format::csv:
    return append_row(out, value);
  }
  out += '\n';
  return {};
}

Status RecordEncoder::append_row(std::string& out, const Value& value) {
  if (!value.is_object()) {
    return Error{ErrorKind::data,
                 "csv wants an object to write, this is " + std::string{to_string(value.kind())},
                 {.hint = "shape it with 'value: {column: \"$.…\"}'"}};
  }
  if (csv_.columns.empty())
    for (const Member& member : value.members())
      csv_.columns.emplace_back(member.name.as_string());
  if (!columns_given_) {
    for (const Member& member : value.members())
      if (std::ranges::find(csv_.columns, member.name.as_string()) == csv_.columns.end())
        return Error{ErrorKind::data,
                     "the member '" + std::string{member.name.as_string()}
                       + "' is no column of this csv",
                     {.hint = "name all columns in 'columns'; the first record named these"}};
  }
  if (csv_.columns.empty())
    return Error{ErrorKind::data, "csv cannot put an object without members"};
  const std::size_t row_start = out.size();
  std::string nested;
  for (const std::string& column : csv_.columns) {
    const Value* field = value.find(column);
    if (field != nullptr && field->is_string()) {
      append_field(out, field->as_string());
    } else if (field != nullptr && !field->is_null()) {
      nested.clear();
      append_json(nested, *field);
      append_field(out, nested);
    }
    out += csv_.delimiter;
  }
  out.back() = '\n';
  // A row of one empty field must not look like a blank line, which readers pass over.
  if (out.size() == row_start + 1)
    out.insert(row_start, "\"\"");
  return {};
}

void RecordEncoder::append_field(std::string& out, std::string_view text) const {
  // Blanks alone would read as a blank line, and a byte order mark in front would be cut off.
  const bool blank = !text.empty() && text.find_first_not_of(" \t") == std::string_view::npos;
  const bool plain = !blank && !text.starts_with("\xEF\xBB\xBF")
                     && std::ranges::none_of(text, [&](char c) {
                          return c == csv_.delimiter || c == '"' || c == '\n' || c == '\r';
                        });
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"')
      out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace millrace::sdk
