#include "connectors/postgres/decode.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <unordered_set>
#include <utility>

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

bool same_columns(const PGresult* result, const ShapeSlot& slot, int first, int count) {
  if (!slot.shape || slot.types.size() != static_cast<std::size_t>(count - first))
    return false;
  for (int i = first; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i - first);
    if (PQftype(result, i) != slot.types[index]
        || slot.shape->columns()[index].name != PQfname(result, i))
      return false;
  }
  return true;
}

void fill_slot(const PGresult* result, ShapeSlot& slot, int first, int count) {
  std::vector<sdk::Column> columns;
  slot.types.clear();
  slot.readers.clear();
  std::unordered_set<std::string_view> names;
  for (int i = first; i < count; ++i) {
    const auto type = PQftype(result, i);
    slot.types.push_back(type);
    const auto read_as = slot.users ? slot.users->stands_for(type) : type;
    slot.readers.push_back({find_type(read_as), binary_reader(read_as)});
    auto name = slot.users ? slot.users->name_of(type) : std::string{};
    columns.push_back({PQfname(result, i), name.empty() ? type_name(type) : std::move(name)});
  }
  slot.unique_names = std::ranges::all_of(
    columns, [&names](const sdk::Column& column) { return names.insert(column.name).second; });
  slot.shape = count == first ? sdk::ResultShape::none()
                              : std::make_shared<const sdk::ResultShape>(std::move(columns));
}

std::string_view cell_at(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column),
          static_cast<std::size_t>(PQgetlength(result, row, column))};
}

/// A row of a set, and where it belongs.
struct Numbered {
  std::int64_t member = 0;
  std::int64_t place = 0;
  int row = 0;

  std::pair<std::int64_t, std::int64_t> key() const noexcept { return {member, place}; }
};

std::int64_t number_at(const PGresult* result, int row, int column) {
  const auto cell = cell_at(result, row, column);
  if (PQfformat(result, column) == 1)
    return cell.size() == sizeof(std::int64_t) ? load_integer<std::int64_t>(cell.data()) : 0;
  return read_number<std::int64_t>(cell).value_or(0);
}

}  // namespace

Value decode_text(std::string_view text, Oid type) {
  const auto* info = find_type(type);
  return info == nullptr ? Value{text} : decode_text(text, *info);
}

Value decode_text(std::string_view text, const TypeInfo& type) {
  switch (type.kind) {
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
    auto array = decode_array(text, type);
    return array.is_null() ? Value{text} : array;
  }
  case TypeKind::nothing:
    return {};
  case TypeKind::text:
    break;
  }
  return Value{text};
}

RowReader::RowReader(const PGresult* result, const ShapeSlot& slot, int first)
  : readers_{slot.readers},
    row_{slot.shape, slot.unique_names},
    first_{first},
    binary_{PQbinaryTuples(result) == 1} {
}

bool RowReader::read(const PGresult* result, int row, Value& out) {
  for (std::size_t i = 0; i < row_.size(); ++i) {
    if (!read_cell(result, row, i))
      return false;
  }
  out = row_.take();
  return true;
}

bool RowReader::read_cell(const PGresult* result, int row, std::size_t index) {
  const int column = first_ + static_cast<int>(index);
  const auto cell = cell_at(result, row, column);
  bytes_ += sizeof(Value) + cell.size();
  auto& value = row_.at(index);
  if (cell.empty() && PQgetisnull(result, row, column) != 0) {
    value = Value{};
    return true;
  }
  const auto& reader = readers_[index];
  if (binary_)
    return reader.binary != nullptr && reader.binary(cell, *reader.info, value);
  value = reader.info == nullptr ? Value{cell} : decode_text(cell, *reader.info);
  return true;
}

sdk::Error RowReader::failure() {
  return {sdk::ErrorKind::internal, "the server's result is not of the types that it said"};
}

std::optional<std::int64_t> row_count(PGresult* result) {
  return read_number<std::int64_t>(PQcmdTuples(result));
}

void take_shape(const PGresult* result, ShapeSlot& slot) {
  const int columns = PQnfields(result);
  if (!same_columns(result, slot, 0, columns))
    fill_slot(result, slot, 0, columns);
}

sdk::Result<sdk::SqlResult> decode_result(PGresult* result, ShapeSlot& slot,
                                          std::shared_ptr<const std::string> sql) {
  const int rows = PQntuples(result);
  take_shape(result, slot);
  sdk::SqlResult decoded{.rowcount = row_count(result),
                         .shape = slot.shape,
                         .command = PQcmdStatus(result),
                         .sql = std::move(sql)};
  decoded.rows.reserve(static_cast<std::size_t>(rows));
  RowReader reader{result, slot};
  for (int row = 0; row < rows; ++row) {
    Value object;
    if (!reader.read(result, row, object))
      return RowReader::failure();
    decoded.rows.push_back(std::move(object));
  }
  return decoded;
}

sdk::Result<std::vector<sdk::SqlResult>>
decode_members(PGresult* result, ShapeSlot& slot, const sdk::SetForm& form, std::size_t members) {
  std::vector<sdk::SqlResult> decoded(members);
  if (!form.rows) {
    for (auto& one : decoded) {
      one.rowcount = 1;
      one.command = "INSERT 0 1";
      one.sql = form.plain;
    }
    return decoded;
  }
  const int first = form.ordered ? 2 : 1;
  const int columns = PQnfields(result);
  if (columns < first)
    return sdk::Error{sdk::ErrorKind::internal, "the rows of a set have no numbers"};
  if (!same_columns(result, slot, first, columns))
    fill_slot(result, slot, first, columns);
  std::vector<Numbered> rows(static_cast<std::size_t>(PQntuples(result)));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto at = static_cast<int>(row);
    rows[row] = {number_at(result, at, 0), form.ordered ? number_at(result, at, 1) : 0, at};
    if (rows[row].member < 1 || rows[row].member > static_cast<std::int64_t>(members))
      return sdk::Error{sdk::ErrorKind::internal, "a row of a set has a number beyond it"};
  }
  if (!std::ranges::is_sorted(rows, {}, &Numbered::key))
    std::ranges::stable_sort(rows, {}, &Numbered::key);
  RowReader reader{result, slot, first};
  auto next = rows.begin();
  for (std::size_t member = 0; member < members; ++member) {
    auto& one = decoded[member];
    const auto end = std::find_if(next, rows.end(), [member](const Numbered& row) {
      return row.member != static_cast<std::int64_t>(member) + 1;
    });
    const auto count = end - next;
    one.rows.reserve(static_cast<std::size_t>(count));
    for (; next != end; ++next) {
      Value object;
      if (!reader.read(result, next->row, object))
        return RowReader::failure();
      one.rows.push_back(std::move(object));
    }
    one.rowcount = count;
    one.shape = slot.shape;
    one.command = count == 1 ? "SELECT 1" : "SELECT " + std::to_string(count);
    one.sql = form.plain;
  }
  return decoded;
}

}  // namespace millrace::postgres
