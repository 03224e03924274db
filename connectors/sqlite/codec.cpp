#include "connectors/sqlite/codec.hpp"

#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sqlite/errors.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace millrace::sqlite {

namespace {

using sdk::Value;
using sdk::ValueKind;

ColumnKind kind_of(std::string_view declared) {
  const auto type = sdk::upper(declared.substr(0, declared.find('(')));
  if (type.starts_with("BOOL"))
    return ColumnKind::boolean;
  if (type.starts_with("NUMERIC") || type.starts_with("DECIMAL"))
    return ColumnKind::number;
  if (type.starts_with("JSON"))
    return ColumnKind::json;
  return ColumnKind::by_storage;
}

// Whether `text` is a JSON number, which a decimal must be.
bool is_json_number(std::string_view text) {
  std::size_t i = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const auto start = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9')
      ++i;
    return i - start;
  };
  const auto whole_at = i;
  const auto whole = digits();
  if (whole == 0 || (whole > 1 && text[whole_at] == '0'))
    return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0)
      return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-'))
      ++i;
    if (digits() == 0)
      return false;
  }
  return i == text.size();
}

Value hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\\x";
  out.reserve(2 + bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
  }
  return Value{out};
}

Value read_text(std::string_view text, ColumnKind kind) {
  if (kind == ColumnKind::number && is_json_number(text))
    return Value::decimal(text);
  if (kind == ColumnKind::json) {
    if (auto parsed = sdk::parse_json(text))
      return std::move(*parsed);
  }
  return Value{text};
}

Value read_column(sqlite3_stmt* statement, int column, ColumnKind kind) {
  switch (sqlite3_column_type(statement, column)) {
  case SQLITE_INTEGER: {
    const auto number = sqlite3_column_int64(statement, column);
    return kind == ColumnKind::boolean ? Value{number != 0} : Value::from_integer(number);
  }
  case SQLITE_FLOAT: {
    const double number = sqlite3_column_double(statement, column);
    if (number > 1.7976931348623157e308)
      return Value{"Infinity"};
    if (number < -1.7976931348623157e308)
      return Value{"-Infinity"};
    return Value{number};
  }
  case SQLITE_TEXT: {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return read_text({text, size}, kind);
  }
  case SQLITE_BLOB: {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return hex({bytes, bytes == nullptr ? 0 : size});
  }
  default:
    return {};
  }
}

// SQLite copies the text: it lives no longer than the message it came in.
int bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
  return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT,
                             SQLITE_UTF8);
}

int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
  switch (value.kind()) {
  case ValueKind::null:
    return sqlite3_bind_null(statement, index);
  case ValueKind::boolean:
    return sqlite3_bind_int(statement, index, value.as_boolean() ? 1 : 0);
  case ValueKind::integer:
    return sqlite3_bind_int64(statement, index, value.as_integer());
  case ValueKind::real:
    return sqlite3_bind_double(statement, index, value.as_double());
  case ValueKind::decimal:
    return bind_text(statement, index, value.as_decimal());
  case ValueKind::string:
    return bind_text(statement, index, value.as_string());
  case ValueKind::array:
  case ValueKind::object:
    return bind_text(statement, index, sdk::to_json(value));
  }
  return SQLITE_MISUSE;
}

// The number in "$3" or "?3"; a bare `?` has none and counts by its place.
int number_of(const char* name, int index) {
  if (name == nullptr)
    return index;
  const std::string_view text{name + 1};
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc{} && end == text.data() + text.size() ? number : 0;
}

}  // namespace

ColumnPlan plan_columns(sqlite3_stmt* statement) {
  const int count = sqlite3_column_count(statement);
  ColumnPlan plan;
  if (count == 0) {
    plan.shape = sdk::ResultShape::none();
    return plan;
  }
  std::vector<sdk::Column> columns;
  for (int i = 0; i < count; ++i) {
    const char* declared = sqlite3_column_decltype(statement, i);
    columns.push_back({sqlite3_column_name(statement, i), declared == nullptr ? "" : declared});
    plan.kinds.push_back(kind_of(columns.back().type));
  }
  plan.shape = std::make_shared<const sdk::ResultShape>(std::move(columns));
  return plan;
}

sdk::Value read_row(sqlite3_stmt* statement, const ColumnPlan& plan) {
  auto row = Value::object();
  const auto& names = plan.shape->names();
  row.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    row.set(names[i].as_string(), read_column(statement, static_cast<int>(i), plan.kinds[i]));
  return row;
}

sdk::Status bind(sqlite3_stmt* statement, const sdk::Parameters& parameters) {
  const int count = sqlite3_bind_parameter_count(statement);
  int highest = 0;
  for (int i = 1; i <= count; ++i) {
    const int number = number_of(sqlite3_bind_parameter_name(statement, i), i);
    highest = std::max(highest, number);
    if (number < 1 || static_cast<std::size_t>(number) > parameters.size())
      continue;
    const int code = bind_value(statement, i, parameters[static_cast<std::size_t>(number) - 1]);
    if (code != SQLITE_OK)
      return last_error(sqlite3_db_handle(statement));
  }
  if (static_cast<std::size_t>(highest) != parameters.size())
    return sdk::Error{sdk::ErrorKind::execution,
                      "the statement has " + std::to_string(highest) + " placeholders, "
                        + std::to_string(parameters.size()) + " parameters were given",
                      {.code = "07001"}};
  return {};
}

}  // namespace millrace::sqlite
