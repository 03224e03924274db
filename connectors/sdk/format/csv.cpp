#include "connectors/sdk/format/csv.hpp"

#include <algorithm>
#include <cstddef>

namespace millrace::sdk {
namespace {

Error bad_row(std::size_t at, const char* reason) {
  return Error{
    ErrorKind::data,
    "bad csv at column " + std::to_string(at + 1) + ": " + reason,
    {.hint = "a field with quotes in it stands in quotes, and each of them is written twice"}};
}

}  // namespace

Result<std::vector<std::string>> csv_header(std::string_view text, char delimiter) {
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  CsvRow row{delimiter};
  if (auto split = row.split(line); !split)
    return std::move(split).error();
  return std::vector<std::string>{row.fields().begin(), row.fields().end()};
}

Status CsvRow::split(std::string_view row) {
  fields_.clear();
  unquoted_.clear();
  unquoted_.reserve(row.size());  // all texts together fit, so no view moves
  std::size_t at = 0;
  while (true) {
    if (at < row.size() && row[at] == '"') {
      if (auto field = quoted_field(row, at); !field)
        return field;
    } else {
      const std::size_t end = std::min(row.find(delimiter_, at), row.size());
      const std::string_view field = row.substr(at, end - at);
      if (const std::size_t quote = field.find('"'); quote != std::string_view::npos)
        return bad_row(at + quote, "a quote stands inside a field that is not quoted");
      fields_.push_back(field);
      at = end;
    }
    if (at == row.size())
      return {};
    ++at;  // the delimiter
  }
}

Status CsvRow::quoted_field(std::string_view row, std::size_t& at) {
  const std::size_t open = at;
  const std::size_t first = unquoted_.size();
  bool doubled = false;
  std::size_t from = open + 1;
  while (true) {
    const std::size_t quote = row.find('"', from);
    if (quote == std::string_view::npos)
      return bad_row(open, "a quoted field is never closed");
    if (quote + 1 < row.size() && row[quote + 1] == '"') {
      unquoted_ += row.substr(from, quote + 1 - from);
      doubled = true;
      from = quote + 2;
      continue;
    }
    if (quote + 1 < row.size() && row[quote + 1] != delimiter_)
      return bad_row(quote + 1, "something follows the quote that closes a field");
    if (doubled) {
      unquoted_ += row.substr(from, quote - from);
      fields_.push_back(std::string_view{unquoted_}.substr(first));
    } else {
      fields_.push_back(row.substr(from, quote - from));
    }
    at = quote + 1;
    return {};
  }
}

}  // namespace millrace::sdk
