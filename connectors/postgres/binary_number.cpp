// `numeric` in binary: sign, weight, scale, and digits of base 10,000 (src/backend/utils/adt/
// numeric.c of PostgreSQL, numeric_recv).
#include "connectors/postgres/binary.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace millrace::postgres {

namespace {

constexpr int most_scale = 16'383;
constexpr int most_digits = 100'000;  // in front of the point; above it the server decides

struct Decimal {
  bool negative = false;
  std::string digits;  // without point
  int point = 0;       // behind so many of them; may lie outside
};

bool all_digits(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal decimal;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    decimal.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int exponent = 0;
  if (const auto at = text.find_first_of("eE"); at != std::string_view::npos) {
    auto digits = text.substr(at + 1);
    if (digits.starts_with('+'))
      digits.remove_prefix(1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(),
                                                exponent);
    if (failure != std::errc{} || end != digits.data() + digits.size())
      return std::nullopt;
    text = text.substr(0, at);
  }
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  const auto fraction = point < text.size() ? text.substr(point + 1) : std::string_view{};
  if (whole.size() + fraction.size() == 0 || !all_digits(whole) || !all_digits(fraction)
      || whole.size() + fraction.size() > most_digits || exponent > most_digits
      || exponent < -most_scale)
    return std::nullopt;
  decimal.digits.append(whole).append(fraction);
  decimal.point = static_cast<int>(whole.size()) + exponent;
  return decimal;
}

}  // namespace

bool append_binary_numeric(std::string& out, std::string_view text) {
  auto decimal = read_decimal(text);
  if (!decimal)
    return false;
  auto& digits = decimal->digits;
  int point = decimal->point;
  const int scale = std::max(0, static_cast<int>(digits.size()) - point);
  if (scale > most_scale || point > most_digits)
    return false;
  // Zeros around it until the point lies between two groups of four.
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  if (static_cast<std::size_t>(point) > digits.size())
    digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  const int front = (4 - point % 4) % 4;
  digits.insert(0, static_cast<std::size_t>(front), '0');
  point += front;
  digits.append((4 - digits.size() % 4) % 4, '0');
  std::vector<std::int16_t> groups;
  for (std::size_t i = 0; i < digits.size(); i += 4)
    groups.push_back(static_cast<std::int16_t>((digits[i] - '0') * 1000
                                               + (digits[i + 1] - '0') * 100
                                               + (digits[i + 2] - '0') * 10 + digits[i + 3] - '0'));
  int weight = point / 4 - 1;
  const auto is_zero = [](std::int16_t group) { return group == 0; };
  const auto first = std::ranges::find_if_not(groups, is_zero);
  weight -= static_cast<int>(first - groups.begin());
  groups.erase(groups.begin(), first);
  while (!groups.empty() && groups.back() == 0)
    groups.pop_back();
  const bool zero = groups.empty();
  append_integer(out, static_cast<std::int16_t>(groups.size()));
  append_integer(out, static_cast<std::int16_t>(zero ? 0 : weight));
  append_integer(out, static_cast<std::uint16_t>(decimal->negative && !zero ? 0x4000 : 0));
  append_integer(out, static_cast<std::int16_t>(scale));
  for (const auto group : groups)
    append_integer(out, group);
  return true;
}

}  // namespace millrace::postgres
