// PostgreSQL's own types by OID: their names, what their text becomes, and what their arrays hold.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::postgres {

enum class TypeKind : std::uint8_t {
  text,  // the text as it is
  boolean,
  integer,
  real,
  numeric,
  json,
  timestamp,  // ISO 8601 with T
  array,
  nothing,  // void
};

struct TypeInfo {
  Oid oid = 0;
  std::string_view name;
  TypeKind kind = TypeKind::text;
  Oid element = 0;       // of an array
  char delimiter = ',';  // between its elements
};

/// Null for a type that is not PostgreSQL's own (enums, extensions); its values are text.
const TypeInfo* find_type(Oid oid) noexcept;

/// The type of lists of it; 0: none of PostgreSQL's own.
Oid array_of(Oid element) noexcept;

/// Its name, or "oid 16412".
std::string type_name(Oid oid);

namespace oids {
inline constexpr Oid boolean = 16;
inline constexpr Oid int8 = 20;
inline constexpr Oid int4 = 23;
inline constexpr Oid text = 25;
inline constexpr Oid text_list = 1009;
inline constexpr Oid float8 = 701;
inline constexpr Oid numeric = 1700;
inline constexpr Oid jsonb = 3802;
}  // namespace oids

}  // namespace millrace::postgres
