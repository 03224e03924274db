// Numbers: floating point in network order, and `numeric` as sign, weight, scale and digits of base
// 10,000 (src/backend/utils/adt/numeric.c of PostgreSQL, numeric_send).
#include "connectors/postgres/binary_read.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace millrace::postgres {

namespace {

using sdk::Value;

Value name_of(double number) {
  return std::isnan(number) ? Value{"NaN"} : Value{number > 0 ? "Infinity" : "-Infinity"};
}

// Whether `number` reads back as `single`, also where halves are rounded the other way.
bool is_surely(double number, float single) noexcept {
  const auto middle = [single](float other) {
    return (static_cast<double>(single) + static_cast<double>(other)) / 2;
  };
  constexpr auto infinite = std::numeric_limits<float>::infinity();
  return number > middle(std::nextafter(single, -infinite))
         && number < middle(std::nextafter(single, infinite));
}

template <class... Precision>
double digits_of(float single, Precision... precision) noexcept {
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), single,
                                     std::chars_format::scientific, precision...);
  double number = 0;
  std::from_chars(text.data(), written.ptr, number);
  return number;
}

// The digits that the server writes: the fewest that no way of rounding reads as another number.
double widen(float single) noexcept {
  auto number = digits_of(single);
  for (int digits = 0; !is_surely(number, single) && digits < 9; ++digits)
    number = digits_of(single, digits);
  return number;
}

void append_group(std::string& out, std::int16_t group) {
  const auto digit = [](int number) { return static_cast<char>('0' + number % 10); };
  out += digit(group / 1000);
  out += digit(group / 100);
  out += digit(group / 10);
  out += digit(group);
}

class Numeric {
public:
  explicit Numeric(std::string_view bytes) noexcept : bytes_{bytes} {}

  bool good() const noexcept {
    if (bytes_.size() < header || bytes_.size() != header + 2UL * static_cast<std::size_t>(count())
        || scale() < 0)
      return false;
    for (int i = 0; i < count(); ++i) {
      if (group(i) < 0 || group(i) > 9999)
        return false;
    }
    return true;
  }

  std::uint16_t sign() const noexcept { return load_integer<std::uint16_t>(bytes_.data() + 4); }

  std::string text() const {
    std::string out;
    if (sign() == negative)
      out += '-';
    const auto start = out.size();
    for (int i = 0; i <= weight(); ++i)
      append_group(out, group(i));
    // Without zeros in front, but with one digit at least.
    const auto first = std::min(out.find_first_not_of('0', start), out.size());
    out.erase(start, first - start);
    if (out.size() == start)
      out += '0';
    if (scale() == 0)
      return out;
    out += '.';
    const auto end = out.size() + static_cast<std::size_t>(scale());
    for (int i = weight() + 1; out.size() < end; ++i)
      append_group(out, group(i));
    out.resize(end);
    return out;
  }

  static constexpr std::uint16_t positive = 0;
  static constexpr std::uint16_t negative = 0x4000;

private:
  static constexpr std::size_t header = 8;

  int count() const noexcept { return load_integer<std::uint16_t>(bytes_.data()); }

  int weight() const noexcept { return load_integer<std::int16_t>(bytes_.data() + 2); }

  int scale() const noexcept { return load_integer<std::int16_t>(bytes_.data() + 6); }

  // Zeros at both ends are not sent.
  std::int16_t group(int index) const noexcept {
    return index < 0 || index >= count()
             ? std::int16_t{0}
             : load_integer<std::int16_t>(bytes_.data() + header
                                          + 2UL * static_cast<std::size_t>(index));
  }

  std::string_view bytes_;
};

}  // namespace

bool read_binary_float4(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != sizeof(float))
    return false;
  const auto number = std::bit_cast<float>(load_integer<std::uint32_t>(bytes.data()));
  if (!std::isfinite(number))
    out = name_of(static_cast<double>(number));
  else
    out = Value{number == 0 ? static_cast<double>(number) : widen(number)};
  return true;
}

bool read_binary_float8(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != sizeof(double))
    return false;
  const auto number = std::bit_cast<double>(load_integer<std::uint64_t>(bytes.data()));
  out = std::isfinite(number) ? Value{number} : name_of(number);
  return true;
}

bool read_binary_numeric(std::string_view bytes, const TypeInfo&, Value& out) {
  const Numeric number{bytes};
  if (!number.good())
    return false;
  switch (number.sign()) {
  case Numeric::positive:
  case Numeric::negative:
    out = Value::decimal(number.text());
    return true;
  case 0xC000:
    out = Value{"NaN"};
    return true;
  case 0xD000:
    out = Value{"Infinity"};
    return true;
  case 0xF000:
    out = Value{"-Infinity"};
    return true;
  default:
    return false;
  }
}

}  // namespace millrace::postgres
