#include "dsl/expression/numbers.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

namespace millrace::dsl {

namespace {

using sdk::Value;
using sdk::ValueKind;

__extension__ using Wide = __int128;  // NOLINT(readability-identifier-naming)

/// 0.ddd… * 10^exponent, with neither leading nor trailing zeros.
struct Normal {
  bool negative = false;
  std::string digits;  // empty: zero
  std::int64_t exponent = 0;
};

Normal normalise(const Value& number) {
  const std::string text = sdk::to_json(number);
  Normal out;
  std::size_t at = 0;
  if (text[at] == '-') {
    out.negative = true;
    ++at;
  }
  std::int64_t whole = 0;  // digits before the point
  bool fraction = false;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      fraction = true;
      continue;
    }
    out.digits += text[at];
    whole += fraction ? 0 : 1;
  }
  if (at < text.size()) {
    const bool plus = text[at + 1] == '+';
    const auto* first = text.data() + at + (plus ? 2 : 1);
    const auto parsed = std::from_chars(first, text.data() + text.size(), out.exponent);
    constexpr std::int64_t far = std::int64_t{1} << 40;
    if (parsed.ec != std::errc{} || out.exponent > far || out.exponent < -far)
      out.exponent = *first == '-' ? -far : far;
  }
  const std::size_t zeros = std::min(out.digits.find_first_not_of('0'), out.digits.size());
  out.digits.erase(0, zeros);
  out.exponent += whole - static_cast<std::int64_t>(zeros);
  out.digits.erase(out.digits.find_last_not_of('0') + 1);
  return out;
}

std::weak_ordering compare_magnitudes(const Normal& a, const Normal& b) {
  if (a.digits.empty() || b.digits.empty())
    return !a.digits.empty() <=> !b.digits.empty();
  if (a.exponent != b.exponent)
    return a.exponent <=> b.exponent;
  return a.digits.compare(b.digits) <=> 0;
}

/// digits * 10^-scale.
struct Fixed {
  Wide digits = 0;
  int scale = 0;
};

constexpr int most_places = 18;

/// @returns nothing where the number has an exponent, or more than 18 digits on a side of the
/// point.
std::optional<Fixed> to_fixed(const Value& number) {
  if (number.is_integer())
    return Fixed{number.as_integer(), 0};
  const std::string text = sdk::to_json(number);
  Fixed out;
  const bool negative = text[0] == '-';
  bool fraction = false;
  int whole = 0;
  for (const char c : std::string_view{text}.substr(negative ? 1 : 0)) {
    if (c == '.') {
      fraction = true;
    } else if (c < '0' || c > '9') {
      return std::nullopt;
    } else {
      if ((fraction ? ++out.scale : ++whole) > most_places)
        return std::nullopt;
      out.digits = out.digits * 10 + (c - '0');
    }
  }
  if (negative)
    out.digits = -out.digits;
  return out;
}

Value to_value(Fixed number) {
  const bool negative = number.digits < 0;
  if (negative)
    number.digits = -number.digits;
  std::string text;
  for (int place = 0; number.digits > 0 || place <= number.scale; ++place) {
    if (place == number.scale && place > 0)
      text += '.';
    text += static_cast<char>('0' + static_cast<int>(number.digits % 10));
    number.digits /= 10;
  }
  if (negative)
    text += '-';
  std::reverse(text.begin(), text.end());
  return Value::decimal(text);
}

/// @returns nothing where it does not fit.
std::optional<Value> exact_sum(std::span<const Value> numbers) {
  Fixed sum;
  for (const Value& number : numbers) {
    auto next = to_fixed(number);
    if (!next)
      return std::nullopt;
    const int scale = std::max(sum.scale, next->scale);
    for (Fixed* side : {&sum, &*next}) {
      for (; side->scale < scale; ++side->scale) {
        if (__builtin_mul_overflow(side->digits, Wide{10}, &side->digits))
          return std::nullopt;
      }
    }
    if (__builtin_add_overflow(sum.digits, next->digits, &sum.digits))
      return std::nullopt;
  }
  return to_value(sum);
}

}  // namespace

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer())
    return a.as_integer() <=> b.as_integer();
  const double a_real = a.as_double();
  const double b_real = b.as_double();
  // Doubles that differ decide, since rounding keeps the order; it is the equal ones that need a
  // look.
  if (a_real != b_real || (a.kind() == ValueKind::real && b.kind() == ValueKind::real))
    return a_real <=> b_real;
  for (const Value* side : {&a, &b}) {
    if (side->kind() == ValueKind::real && !std::isfinite(side->as_double()))
      return a_real <=> b_real;
  }
  const Normal left = normalise(a);
  const Normal right = normalise(b);
  const bool left_negative = left.negative && !left.digits.empty();
  const bool right_negative = right.negative && !right.digits.empty();
  if (left_negative != right_negative)
    return left_negative ? std::partial_ordering::less : std::partial_ordering::greater;
  return left_negative ? compare_magnitudes(right, left) : compare_magnitudes(left, right);
}

sdk::Result<Value> sum_of(std::span<const Value> numbers) {
  std::int64_t whole = 0;
  if (std::all_of(numbers.begin(), numbers.end(), [](const Value& v) { return v.is_integer(); })) {
    for (const Value& number : numbers) {
      if (__builtin_add_overflow(whole, number.as_integer(), &whole))
        return sdk::Error{sdk::ErrorKind::data, "the sum does not fit into 64 bits"};
    }
    return Value{whole};
  }
  if (auto exact = exact_sum(numbers))
    return std::move(*exact);
  double sum = 0;
  for (const Value& number : numbers)
    sum += number.as_double();
  return Value{sum};
}

}  // namespace millrace::dsl
