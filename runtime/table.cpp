#include "runtime/table.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>

namespace millrace::runtime {

namespace {

/// Characters, as far as UTF-8 tells without tables.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
    std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

bool is_number(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0
         && text.find('-') == std::string_view::npos && text.find(':') == std::string_view::npos;
}

std::string with_digits(double value, int digits) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits);
  return {text.data(), end.ptr};
}

}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - width(row[i]), ' ');
      const bool last = i + 1 == row.size();
      if (is_number(row[i]))
        out += fill + row[i];
      else
        out += row[i] + (last ? std::string{} : fill);
      out += last ? "\n" : "  ";
    }
  }
  return out;
}

std::string cell(const sdk::Value& object, std::string_view member) {
  const auto* found = object.find(member);
  if (!found || found->is_null())
    return "-";
  if (found->is_string())
    return found->size() == 0 ? "-" : printable(found->as_string());
  if (found->is_number() && !found->is_integer())
    return with_digits(found->as_double(), 2);
  return sdk::to_json(*found);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return out;
}

std::string short_time(std::int64_t milliseconds) {
  constexpr std::int64_t second = 1'000;
  constexpr std::int64_t minute = 60 * second;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  if (milliseconds < minute)
    return with_digits(static_cast<double>(milliseconds) / second, 1) + " s";
  if (milliseconds < hour)
    return std::to_string(milliseconds / minute) + " min";
  if (milliseconds < 2 * day)
    return std::to_string(milliseconds / hour) + " h";
  return std::to_string(milliseconds / day) + " d";
}

}  // namespace millrace::runtime
