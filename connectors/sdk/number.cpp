#include "connectors/sdk/number.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace millrace::sdk {

namespace {

constexpr std::array<double, 23> powers_of_ten{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr double two_to_63 = 9223372036854775808.0;
constexpr double smallest_plain = 1e-6;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// A number as 0.DIGITS * 10^exponent, DIGITS without zeros at its ends; zero has no digits.
struct Normal {
  std::string digits;
  std::int64_t exponent = 0;
  std::string_view huge_exponent;  // of more than 18 digits, sign included
  bool negative = false;

  bool operator==(const Normal&) const = default;
};

Normal normalise(std::string_view text) {
  Normal result;
  std::size_t at = 0;
  if (text[0] == '-') {
    result.negative = true;
    at = 1;
  }
  bool after_point = false;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    if (result.digits.empty() && text[at] == '0') {
      result.exponent -= after_point ? 1 : 0;
      continue;
    }
    result.digits.push_back(text[at]);
    result.exponent += after_point ? 0 : 1;
  }
  while (!result.digits.empty() && result.digits.back() == '0')
    result.digits.pop_back();
  if (result.digits.empty())
    return {};
  if (at == text.size())
    return result;
  auto exponent = text.substr(at + 1);
  const bool negative = exponent[0] == '-';
  if (negative || exponent[0] == '+')
    exponent.remove_prefix(1);
  while (exponent.size() > 1 && exponent[0] == '0')
    exponent.remove_prefix(1);
  if (exponent.size() > 18) {
    result.huge_exponent = text.substr(at + 1);
    return result;
  }
  std::int64_t value = 0;
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
  result.exponent += negative ? -value : value;
  return result;
}

Normal normalise(const Value& number) {
  std::array<char, max_double_size> text{};
  switch (number.kind()) {
  case ValueKind::integer: {
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number.as_integer()).ptr;
    return normalise({text.data(), end});
  }
  case ValueKind::real:
    return normalise({text.data(), write_double(text.data(), number.as_double())});
  default:
    return normalise(number.as_decimal());
  }
}

/// The integer that `value` is, where int64 has it.
std::optional<std::int64_t> whole_number(double value) noexcept {
  if (!(value >= -two_to_63 && value < two_to_63))
    return std::nullopt;
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? std::optional{whole} : std::nullopt;
}

/// Writes a fraction of few places and at most 15 digits in all, or nothing. Of such decimals only
/// one can be next to a double, so the first that is found is the shortest.
char* write_short_fraction(char* out, double magnitude) noexcept {
  constexpr std::array<std::uint64_t, 7> powers{1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};
  for (std::size_t places = 1; places < powers.size(); ++places) {
    const auto scaled = magnitude * powers_of_ten[places] + 0.5;
    if (scaled >= 1e15)
      return out;
    const auto digits = static_cast<std::uint64_t>(scaled);
    if (static_cast<double>(digits) / powers_of_ten[places] != magnitude)
      continue;
    out = std::to_chars(out, out + 16, digits / powers[places]).ptr;
    *out++ = '.';
    auto fraction = digits % powers[places];
    for (auto i = places; i-- > 0; fraction /= 10)
      out[i] = static_cast<char>('0' + fraction % 10);
    return out + places;
  }
  return out;
}

}  // namespace

Number read_number(std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at != end && *at == '-';
  at += negative ? 1 : 0;
  const char* const first = at;
  std::uint64_t digits = 0;  // wraps beyond 19 digits, and is not used then
  while (at != end && is_digit(*at))
    digits = digits * 10 + static_cast<std::uint64_t>(*at++ - '0');
  const auto whole = at - first;
  if (whole == 0 || (*first == '0' && whole > 1))
    return {};
  if (at == end) {
    const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                       + (negative ? 1 : 0);
    if (whole > 19 || digits > limit)
      return {.kind = ValueKind::decimal};
    if (negative && digits == 0)
      return {.kind = ValueKind::real, .real = -0.0};
    return {.kind = ValueKind::integer,
            .integer = static_cast<std::int64_t>(negative ? 0 - digits : digits)};
  }
  auto significant = *first == '0' ? 0 : whole;
  std::ptrdiff_t places = 0;
  bool plain = true;
  if (*at == '.') {
    const char* const point = ++at;
    while (at != end && is_digit(*at)) {
      digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
      significant += significant != 0 || *at != '0' ? 1 : 0;
      ++at;
    }
    places = at - point;
    if (places == 0)
      return {};
    plain = at[-1] != '0';
  }
  if (at != end) {
    if (*at != 'e' && *at != 'E')
      return {};
    ++at;
    if (at != end && (*at == '+' || *at == '-'))
      ++at;
    const char* const exponent = at;
    while (at != end && is_digit(*at))
      ++at;
    if (at == exponent || at != end)
      return {};
    plain = false;
  }
  // Digits and power are exact as doubles, so one division gives the nearest double (Clinger 1990).
  if (!plain || significant > 15 || places > 20)
    return {.kind = ValueKind::decimal};
  const double real = static_cast<double>(digits) / powers_of_ten[static_cast<std::size_t>(places)];
  if (real < smallest_plain)
    return {.kind = ValueKind::decimal};
  return {.kind = ValueKind::real, .real = negative ? -real : real};
}

char* write_double(char* out, double value) noexcept {
  const auto whole = whole_number(value);
  if (whole && (*whole != 0 || !std::signbit(value)))
    return std::to_chars(out, out + max_double_size, *whole).ptr;
  if (std::signbit(value))
    *out++ = '-';
  char* const limit = out + max_double_size - 1;
  const auto magnitude = std::fabs(value);
  if (magnitude == 0)
    return std::to_chars(out, limit, 0).ptr;
  if (magnitude < smallest_plain || magnitude >= two_to_63)
    return std::to_chars(out, limit, magnitude, std::chars_format::scientific).ptr;
  if (char* const end = write_short_fraction(out, magnitude); end != out)
    return end;
  return std::to_chars(out, limit, magnitude, std::chars_format::fixed).ptr;
}

double nearest_double(std::string_view digits) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc{})
    return value;
  // Out of range, on the side that the exponent says.
  const auto normal = normalise(digits);
  const bool small = normal.huge_exponent.empty() ? normal.exponent < 0
                                                  : normal.huge_exponent.starts_with('-');
  const double magnitude = small ? 0.0 : std::numeric_limits<double>::infinity();
  return normal.negative ? -magnitude : magnitude;
}

bool equal_numbers(const Value& a, const Value& b) noexcept {
  if (a.is_integer() && b.is_integer())
    return a.as_integer() == b.as_integer();
  if (a.kind() == ValueKind::real && b.kind() == ValueKind::real)
    return a.as_double() == b.as_double();
  if (a.is_integer() && b.kind() == ValueKind::real)
    return whole_number(b.as_double()) == a.as_integer();
  if (b.is_integer() && a.kind() == ValueKind::real)
    return whole_number(a.as_double()) == b.as_integer();
  for (const auto* value : {&a, &b}) {
    if (value->kind() == ValueKind::real && !std::isfinite(value->as_double()))
      return false;
  }
  return normalise(a) == normalise(b);
}

}  // namespace millrace::sdk
