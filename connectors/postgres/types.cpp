#include "connectors/postgres/types.hpp"

#include <algorithm>
#include <array>

namespace millrace::postgres {

namespace {

using enum TypeKind;

// From the catalog pg_type of PostgreSQL 15; by rising OID.
constexpr std::array types{
  TypeInfo{16, "bool", boolean},
  TypeInfo{17, "bytea"},
  TypeInfo{18, "char"},
  TypeInfo{19, "name"},
  TypeInfo{20, "int8", integer},
  TypeInfo{21, "int2", integer},
  TypeInfo{23, "int4", integer},
  TypeInfo{25, "text"},
  TypeInfo{26, "oid", integer},
  TypeInfo{114, "json", json},
  TypeInfo{142, "xml"},
  TypeInfo{143, "xml[]", array, 142},
  TypeInfo{199, "json[]", array, 114},
  TypeInfo{600, "point"},
  TypeInfo{603, "box"},
  TypeInfo{650, "cidr"},
  TypeInfo{651, "cidr[]", array, 650},
  TypeInfo{700, "float4", real},
  TypeInfo{701, "float8", real},
  TypeInfo{705, "unknown"},
  TypeInfo{774, "macaddr8"},
  TypeInfo{790, "money"},
  TypeInfo{791, "money[]", array, 790},
  TypeInfo{829, "macaddr"},
  TypeInfo{869, "inet"},
  TypeInfo{1000, "bool[]", array, 16},
  TypeInfo{1001, "bytea[]", array, 17},
  TypeInfo{1002, "char[]", array, 18},
  TypeInfo{1003, "name[]", array, 19},
  TypeInfo{1005, "int2[]", array, 21},
  TypeInfo{1007, "int4[]", array, 23},
  TypeInfo{1009, "text[]", array, 25},
  TypeInfo{1014, "bpchar[]", array, 1042},
  TypeInfo{1015, "varchar[]", array, 1043},
  TypeInfo{1016, "int8[]", array, 20},
  TypeInfo{1017, "point[]", array, 600},
  TypeInfo{1020, "box[]", array, 603, ';'},
  TypeInfo{1021, "float4[]", array, 700},
  TypeInfo{1022, "float8[]", array, 701},
  TypeInfo{1028, "oid[]", array, 26},
  TypeInfo{1040, "macaddr[]", array, 829},
  TypeInfo{1041, "inet[]", array, 869},
  TypeInfo{1042, "bpchar"},
  TypeInfo{1043, "varchar"},
  TypeInfo{1082, "date"},
  TypeInfo{1083, "time"},
  TypeInfo{1114, "timestamp", timestamp},
  TypeInfo{1115, "timestamp[]", array, 1114},
  TypeInfo{1182, "date[]", array, 1082},
  TypeInfo{1183, "time[]", array, 1083},
  TypeInfo{1184, "timestamptz", timestamp},
  TypeInfo{1185, "timestamptz[]", array, 1184},
  TypeInfo{1186, "interval"},
  TypeInfo{1187, "interval[]", array, 1186},
  TypeInfo{1231, "numeric[]", array, 1700},
  TypeInfo{1266, "timetz"},
  TypeInfo{1270, "timetz[]", array, 1266},
  TypeInfo{1560, "bit"},
  TypeInfo{1562, "varbit"},
  TypeInfo{1700, "numeric", numeric},
  TypeInfo{2205, "regclass"},
  TypeInfo{2249, "record"},
  TypeInfo{2278, "void", nothing},
  TypeInfo{2950, "uuid"},
  TypeInfo{2951, "uuid[]", array, 2950},
  TypeInfo{3220, "pg_lsn"},
  TypeInfo{3614, "tsvector"},
  TypeInfo{3615, "tsquery"},
  TypeInfo{3802, "jsonb", json},
  TypeInfo{3807, "jsonb[]", array, 3802},
  TypeInfo{3904, "int4range"},
  TypeInfo{3906, "numrange"},
  TypeInfo{3908, "tsrange"},
  TypeInfo{3910, "tstzrange"},
  TypeInfo{3912, "daterange"},
  TypeInfo{3926, "int8range"},
};

static_assert(std::ranges::is_sorted(types, {}, &TypeInfo::oid));

}  // namespace

const TypeInfo* find_type(Oid oid) noexcept {
  const auto* const found = std::ranges::lower_bound(types, oid, {}, &TypeInfo::oid);
  return found != types.end() && found->oid == oid ? found : nullptr;
}

std::string type_name(Oid oid) {
  const auto* const found = find_type(oid);
  return found == nullptr ? "oid " + std::to_string(oid) : std::string{found->name};
}

}  // namespace millrace::postgres
