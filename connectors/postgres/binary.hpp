// Values into PostgreSQL's binary form, as COPY takes it. Only what is sure to mean the same as its
// text is written; everything else is left to the server, as text.
#pragma once

#include "connectors/postgres/types.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::postgres {

/// Whether values of that type can be written at all.
bool has_binary(Oid type) noexcept;

/// Appends the value, without its length; not for null.
/// @returns false where this value's meaning is for the server to find; then `out` is as it was.
bool append_binary(std::string& out, const sdk::Value& value, Oid type);

/// Appends an integer in network order.
template <class T>
void append_integer(std::string& out, T number) {
  auto bits = static_cast<std::make_unsigned_t<T>>(number);
  for (int shift = (static_cast<int>(sizeof(T)) - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>((bits >> static_cast<unsigned>(shift)) & 0xFFU);
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
