#include "connectors/postgres/decode.hpp"

#include "connectors/sdk/json.hpp"

#include <charconv>
#include <optional>
#include <string>

namespace millrace::postgres {

namespace {

using sdk::Value;

// "2026-01-02 01:04:05.5+00" -> "2026-01-02T01:04:05.5+00:00"; "infinity" and the like stay.
Value decode_timestamp(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos)
    return Value{text};
  std::string out{text};
  out[space] = 'T';
  // An offset of whole hours is written without its minutes, which ISO 8601's extended form asks
  // for.
  const auto sign = out.find_first_of("+-", space + 1);
  if (sign != std::string::npos) {
    const auto end = out.find(' ', sign);
    if ((end == std::string::npos ? out.size() : end) - sign == 3)
      out.insert(sign + 3, ":00");
  }
  return Value{out};
}

template <class T>
std::optional<T> read_number(std::string_view text) {
  T number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

Value decode_real(std::string_view text) {
  if (text.ends_with('y') || text == "NaN")  // Infinity, -Infinity
    return Value{text};
  const auto number = read_number<double>(text);
  return number ? Value{*number} : Value{text};
}

Value decode_json(std::string_view text) {
  auto parsed = sdk::parse_json(text);
  // PostgreSQL takes depths that we do not; then it stays the text that it is.
  return parsed ? std::move(*parsed) : Value{text};
}

bool same_columns(const PGresult* result, const ShapeSlot& slot, int count) {
  if (!slot.shape || slot.types.size() != static_cast<std::size_t>(count))
    return false;
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    if (PQftype(result, i) != slot.types[index]
        || slot.shape->columns()[index].name != PQfname(result, i))
      return false;
  }
  return true;
}

void fill_slot(const PGresult* result, ShapeSlot& slot, int count) {
  std::vector<sdk::Column> columns;
  slot.types.clear();
  slot.read_as.clear();
  for (int i = 0; i < count; ++i) {
    const auto type = PQftype(result, i);
    slot.types.push_back(type);
    slot.read_as.push_back(slot.users ? slot.users->stands_for(type) : type);
    auto name = slot.users ? slot.users->name_of(type) : std::string{};
    columns.push_back({PQfname(result, i), name.empty() ? type_name(type) : std::move(name)});
  }
  slot.shape = count == 0 ? sdk::ResultShape::none()
                          : std::make_shared<const sdk::ResultShape>(std::move(columns));
}

}  // namespace

Value decode_text(std::string_view text, Oid type) {
  const auto* info = find_type(type);
  if (info == nullptr)
    return Value{text};
  switch (info->kind) {
  case TypeKind::boolean:
    return Value{text == "t"};
  case TypeKind::integer: {
    const auto number = read_number<std::int64_t>(text);
    return number ? Value::from_integer(*number) : Value{text};
  }
  case TypeKind::real:
    return decode_real(text);
  case TypeKind::numeric:
    return text.ends_with('N') || text.ends_with('y') ? Value{text} : Value::decimal(text);
  case TypeKind::json:
    return decode_json(text);
  case TypeKind::timestamp:
    return decode_timestamp(text);
  case TypeKind::array: {
    auto array = decode_array(text, *info);
    return array.is_null() ? Value{text} : array;
  }
  case TypeKind::nothing:
    return {};
  case TypeKind::text:
    break;
  }
  return Value{text};
}

sdk::SqlResult decode_result(PGresult* result, ShapeSlot& slot,
                             std::shared_ptr<const std::string> sql) {
  const int columns = PQnfields(result);
  const int rows = PQntuples(result);
  if (!same_columns(result, slot, columns))
    fill_slot(result, slot, columns);
  sdk::SqlResult decoded{.rowcount = read_number<std::int64_t>(PQcmdTuples(result)),
                         .shape = slot.shape,
                         .command = PQcmdStatus(result),
                         .sql = std::move(sql)};
  decoded.rows.reserve(static_cast<std::size_t>(rows));
  const auto& names = slot.shape->names();
  for (int row = 0; row < rows; ++row) {
    auto object = Value::object();
    object.reserve(names.size());
    for (int column = 0; column < columns; ++column) {
      const auto index = static_cast<std::size_t>(column);
      const std::string_view text{PQgetvalue(result, row, column),
                                  static_cast<std::size_t>(PQgetlength(result, row, column))};
      object.set(names[index].as_string(), PQgetisnull(result, row, column) != 0
                                             ? Value{}
                                             : decode_text(text, slot.read_as[index]));
    }
    decoded.rows.push_back(std::move(object));
  }
  return decoded;
}

}  // namespace millrace::postgres
