// JSON numbers (RFC 8259, section 6): which kind of Value holds one without losing a digit, how a
// double is written, and when two are equal. Internal to the SDK.
//
//   read_number("12.50")  // decimal: a double would come back as 12.5
#pragma once

#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <string_view>

namespace millrace::sdk {

struct Number {
  ValueKind kind = ValueKind::null;  // integer, real or decimal; null where the text is no number
  std::int64_t integer = 0;
  double real = 0;
};

/// Reads `text`, all of it. An integer of int64 is `integer`; what write_double would write as the
/// very same text is `real` (at most 15 significant digits, no exponent, no trailing zero; "-0" is
/// one); every other JSON number is `decimal`.
Number read_number(std::string_view text) noexcept;

/// Most bytes that write_double writes.
inline constexpr std::size_t max_double_size = 32;

/// Writes the shortest digits that read back as `value`, which must be finite, in plain notation
/// from 1e-6 up to 2^63 and with an exponent beyond. @returns the end.
char* write_double(char* out, double value) noexcept;

/// The double next to a valid JSON number; an infinity beyond their range.
double nearest_double(std::string_view digits) noexcept;

/// Whether two numbers of any kinds are equal, exactly.
bool equal_numbers(const Value& a, const Value& b) noexcept;

}  // namespace millrace::sdk
