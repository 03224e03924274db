#include "connectors/sdk/format/record_decoder.hpp"

#include "connectors/sdk/format/clean_utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace millrace::sdk {
namespace {

Error not_utf8() {
  return Error{ErrorKind::data,
               "the line is not valid UTF-8",
               {.hint = "convert the input to UTF-8, with iconv for example"}};
}

}  // namespace

RecordDecoder::RecordDecoder(const ReadFormat& format)
  : format_{format.format},
    wants_header_{format.format == Format::csv && format.csv.header},
    row_{format.csv.delimiter} {
  for (const std::string& column : format.csv.columns)
    names_.emplace_back(column);
}

bool RecordDecoder::skips(std::string_view line) const noexcept {
  return format_ != Format::text && line.find_first_not_of(" \t\r") == std::string_view::npos;
}

Status RecordDecoder::read_header(std::string_view line) {
  wants_header_ = false;
  if (!names_.empty())
    return {};  // 'columns' says better
  if (!is_utf8(line))
    return not_utf8();
  if (auto split = row_.split(line); !split)
    return split;
  for (const std::string_view name : row_.fields()) {
    if (name.empty())
      return Error{ErrorKind::data,
                   "the csv header has a column without a name",
                   {.hint = "name them with 'columns'"}};
    if (std::ranges::any_of(names_, [&](const Value& other) { return other.as_string() == name; }))
      return Error{ErrorKind::data,
                   "the csv header names the column '" + std::string{name} + "' twice",
                   {.hint = "name them with 'columns'"}};
    names_.emplace_back(name);
  }
  return {};
}

Result<Value> RecordDecoder::decode(std::string_view line) {
  if (format_ == Format::jsonl)
    return json_.parse(line);
  if (!is_utf8(line))
    return not_utf8();
  if (format_ == Format::text)
    return Value{line};
  return decode_row(line);
}

Result<Value> RecordDecoder::decode_row(std::string_view line) {
  if (auto split = row_.split(line); !split)
    return std::move(split).error();
  const auto fields = row_.fields();
  if (fields.size() != names_.size()) {
    return Error{ErrorKind::data, "the row has " + std::to_string(fields.size())
                                    + " fields instead of " + std::to_string(names_.size())};
  }
  Value row = Value::object();
  row.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i)
    row.set(names_[i].as_string(), Value{fields[i]});
  return row;
}

}  // namespace millrace::sdk
