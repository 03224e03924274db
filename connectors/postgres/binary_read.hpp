// PostgreSQL's binary results into values: the very same ones that the text of the column would
// give, in the style that connections are started with (ISO dates, ISO 8601 intervals, UTC).
//
//   if (const auto read = binary_reader(type)) good = read(bytes, *find_type(type), value);
#pragma once

#include "connectors/postgres/types.hpp"
#include "connectors/sdk/value.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::postgres {

/// Puts the value into `out`. @returns false where the bytes are none of that type.
using BinaryReader = bool (*)(std::string_view bytes, const TypeInfo& type, sdk::Value& out);

/// Null for types whose binary form is not read.
BinaryReader binary_reader(Oid type) noexcept;

/// Whether the text of its values depends on a setting of the session that the server reports
/// (DateStyle, IntervalStyle, TimeZone).
bool has_style(Oid type) noexcept;

/// An integer in network order; `bytes` must be long enough.
template <class T>
T load_integer(const char* bytes) noexcept {
  std::make_unsigned_t<T> bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  if constexpr (sizeof(T) == 2)
    bits = __builtin_bswap16(bits);
  else if constexpr (sizeof(T) == 4)
    bits = __builtin_bswap32(bits);
  else if constexpr (sizeof(T) == 8)
    bits = __builtin_bswap64(bits);
  return static_cast<T>(bits);
}

// binary_read_number.cpp
bool read_binary_float4(std::string_view bytes, const TypeInfo& type, sdk::Value& out);
bool read_binary_float8(std::string_view bytes, const TypeInfo& type, sdk::Value& out);
bool read_binary_numeric(std::string_view bytes, const TypeInfo& type, sdk::Value& out);

// binary_read_time.cpp
bool read_binary_date(std::string_view bytes, const TypeInfo& type, sdk::Value& out);
bool read_binary_time(std::string_view bytes, const TypeInfo& type, sdk::Value& out);
bool read_binary_timetz(std::string_view bytes, const TypeInfo& type, sdk::Value& out);
bool read_binary_timestamp(std::string_view bytes, const TypeInfo& type, sdk::Value& out);
bool read_binary_timestamptz(std::string_view bytes, const TypeInfo& type, sdk::Value& out);
bool read_binary_interval(std::string_view bytes, const TypeInfo& type, sdk::Value& out);

}  // namespace millrace::postgres
