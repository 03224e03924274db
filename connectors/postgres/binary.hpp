// Values into PostgreSQL's binary form, as COPY takes it. Only what is sure to mean the same as its
// text is written; everything else is left to the server, as text.
#pragma once

#include "connectors/postgres/types.hpp"
#include "connectors/sdk/value.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace millrace::postgres {

/// Whether values of that type can be written at all.
bool has_binary(Oid type) noexcept;

/// Appends the value, without its length; not for null.
/// @returns false where this value's meaning is for the server to find; then `out` is as it was.
bool append_binary(std::string& out, const sdk::Value& value, Oid type);

/// Puts an integer in network order to where there is room for it.
template <class T>
void put_integer(char* out, T number) noexcept {
  auto bits = static_cast<std::make_unsigned_t<T>>(number);
  if constexpr (sizeof(T) == 2)
    bits = __builtin_bswap16(bits);
  else if constexpr (sizeof(T) == 4)
    bits = __builtin_bswap32(bits);
  else if constexpr (sizeof(T) == 8)
    bits = __builtin_bswap64(bits);
  std::memcpy(out, &bits, sizeof bits);
}

/// Appends an integer in network order.
template <class T>
void append_integer(std::string& out, T number) {
  std::array<char, sizeof(T)> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  put_integer(bytes.data(), number);
  out.append(bytes.data(), bytes.size());
}

/// The decimal number as `numeric` holds it: digits of base 10,000.
bool append_binary_numeric(std::string& out, std::string_view digits);

/// Days since 2000-01-01 of "2026-01-02".
std::optional<std::int32_t> binary_date(std::string_view text) noexcept;

/// Microseconds since midnight of "01:02:03.5".
std::optional<std::int64_t> binary_time(std::string_view text) noexcept;

/// Microseconds since 2000-01-01 of "2026-01-02T01:02:03.5+01:00" or with a blank. With `zone` the
/// offset must be there, and counts; without, it is passed over, as the server does.
std::optional<std::int64_t> binary_timestamp(std::string_view text, bool zone) noexcept;

}  // namespace millrace::postgres
