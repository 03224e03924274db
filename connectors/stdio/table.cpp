#include "connectors/stdio/table.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>

namespace millrace::stdio {
namespace {

constexpr std::string_view gap = "  ";
constexpr std::string_view bare_value = "value";  // the column of rows that are no objects

bool starts_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, &starts_character));
}

void append_escape(std::string& out, unsigned char code) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (code == '\n' || code == '\t') {
    out += code == '\n' ? "\\n" : "\\t";
    return;
  }
  out += "\\u00";
  out += digits[code >> 4];
  out += digits[code & 15];
}

// As it is shown: control characters escaped, so that data cannot steer a terminal.
std::string shown(const sdk::Value& value) {
  std::string text;
  if (value.is_null())
    return text;
  if (!value.is_string()) {
    sdk::append_json(text, value);
  } else {
    const std::string_view raw = value.as_string();
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const auto byte = static_cast<unsigned char>(raw[i]);
      const bool wide_control = byte == 0xC2 && i + 1 < raw.size()
                                && static_cast<unsigned char>(raw[i + 1]) < 0xA0;
      if (wide_control)
        append_escape(text, static_cast<unsigned char>(raw[++i]));
      else if (byte < 0x20 || byte == 0x7F)
        append_escape(text, byte);
      else
        text += raw[i];
    }
  }
  if (characters(text) > Table::widest) {
    std::size_t count = 0;
    const auto cut = std::ranges::find_if(
      text, [&](char c) { return starts_character(c) && ++count == Table::widest; });
    text.erase(cut, text.end());
    text += "…";
  }
  return text;
}

void pad(std::string& out, std::size_t used, std::size_t width) {
  if (used < width)
    out.append(width - used, ' ');
}

void end_line(std::string& out) {
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

}  // namespace

bool Table::has_columns_of(const sdk::Value& row) const {
  const auto has = [this](std::string_view name) {
    return std::ranges::find(columns_, name, &Column::name) != columns_.end();
  };
  if (!row.is_object())
    return has(bare_value);
  return std::ranges::all_of(
    row.members(), [&](const sdk::Member& member) { return has(member.name.as_string()); });
}

void Table::measure(const sdk::Value& row) {
  if (!row.is_object())
    return measure_field(bare_value, row);
  for (const sdk::Member& member : row.members())
    measure_field(member.name.as_string(), member.value);
}

void Table::measure_field(std::string_view name, const sdk::Value& value) {
  auto column = std::ranges::find(columns_, name, &Column::name);
  if (column == columns_.end()) {
    named_ = false;
    column = columns_.insert(columns_.end(),
                             {.name = std::string{name}, .width = characters(name)});
  }
  column->width = std::max(column->width, characters(shown(value)));
  column->numbers = column->numbers && (value.is_number() || value.is_null());
}

void Table::append(std::string& out, const sdk::Value& row) {
  if (!has_columns_of(row))
    measure(row);
  if (!named_)
    append_names(out);
  for (const Column& column : columns_) {
    const sdk::Value* field = row.is_object() ? row.find(column.name)
                                              : (column.name == bare_value ? &row : nullptr);
    const std::string text = field != nullptr ? shown(*field) : std::string{};
    const std::size_t used = characters(text);
    if (column.numbers)
      pad(out, used, column.width);
    out += text;
    if (!column.numbers)
      pad(out, used, column.width);
    out += gap;
  }
  end_line(out);
}

void Table::append_names(std::string& out) {
  named_ = true;
  std::string rule;
  for (const Column& column : columns_) {
    const std::size_t used = characters(column.name);
    if (column.numbers)
      pad(out, used, column.width);
    out += column.name;
    if (!column.numbers)
      pad(out, used, column.width);
    out += gap;
    rule.append(column.width, '-').append(gap);
  }
  end_line(out);
  out += rule;
  end_line(out);
}

}  // namespace millrace::stdio
