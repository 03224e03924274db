// The types that tests of PostgreSQL walk, each with what makes values of it.
//
//   for (const auto& type : type_cases())
//     … "SELECT i, (" + type.made_by + ")::" + type.type + " FROM generate_series(0, 19) i"
#pragma once

#include <string>
#include <vector>

namespace millrace::actors {

struct TypeCase {
  std::string type;
  std::string made_by;  // an expression over i = 0, 1, 2, … and random()
};

/// What makes the types of users that stand among the cases, in the schema of the test.
inline const std::vector<std::string>& types_of_users() {
  static const std::vector<std::string> statements{
    "CREATE TYPE mood AS ENUM ('so, so', 'happy')",
    "CREATE DOMAIN positive AS INTEGER CHECK (VALUE > 0)",
    "CREATE DOMAIN document AS JSONB",
    "CREATE DOMAIN label AS VARCHAR(40)",
    "CREATE DOMAIN moment AS TIMESTAMPTZ",
    "CREATE DOMAIN numbers AS INTEGER[]",
    "CREATE TYPE place AS (id INTEGER, name TEXT, weight FLOAT8)",
    "CREATE TYPE span AS RANGE (subtype = timestamptz)"};
  return statements;
}

inline const std::vector<TypeCase>& type_cases() {
  static const std::vector<TypeCase> cases{
    {"bool", "random() < 0.5"},
    {"int2", "(random() * 65534 - 32767)::int2"},
    {"int4", "(random() * 4294967294 - 2147483647)::int8::int4"},
    {"int8", "(random() * 9e18)::int8 - i"},
    {"oid", "(random() * 4e9)::int8::oid"},
    {"float4", "(random() * 10 ^ (i - 10))::float4"},
    {"float8",
     "CASE i WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN -0.0 ELSE random() * 10 ^ "
     "(i * 20 - 200) END::float8"},
    {"numeric",
     "CASE i WHEN 0 THEN 'NaN' ELSE ((random() * 1e15)::numeric * 10 ^ (i - 10)::numeric)"
     "::text END::numeric"},
    {"numeric(20,6)", "(random() * 1e12)::numeric(20,6)"},
    {"money", "(random() * 1e6)::numeric::money"},
    {"text",
     "chr(32 + (random() * 90)::int) || E'\\\\ \"{},' || chr(8364 + i) || md5(random()::text)"},
    {"varchar(10)", "left(md5(random()::text), 10)"},
    {"char(12)", "left(md5(random()::text), i % 12)"},
    {"name", "md5(random()::text)::name"},
    {"bytea", "decode(md5(random()::text), 'hex')"},
    {"timestamptz", "CASE i WHEN 0 THEN 'infinity' WHEN 1 THEN '0044-03-15 10:00:00+00 BC' ELSE "
                    "(now() - random() * interval '300 years')::text END::timestamptz"},
    {"timestamp", "localtimestamp - random() * interval '2000 years'"},
    {"date",
     "CASE i WHEN 0 THEN '0044-03-15 BC' WHEN 1 THEN '-infinity' ELSE (current_date - (random() "
     "* 1e5)::int)::text END::date"},
    {"time", "(random() * interval '24 hours')::time"},
    {"timetz", "(random() * interval '24 hours')::time::timetz"},
    {"interval", "random() * interval '9 years 7 months 11 days 5 hours' - interval '3 years'"},
    {"uuid", "gen_random_uuid()"},
    {"inet", "('10.1.' || i || '.7/' || i % 32)::inet"},
    {"cidr", "('10.' || i || '.0.0/16')::cidr"},
    {"macaddr", "('08:00:2b:01:02:' || lpad(to_hex(i), 2, '0'))::macaddr"},
    {"macaddr8", "('08:00:2b:01:02:03:04:' || lpad(to_hex(i), 2, '0'))::macaddr8"},
    {"bit(7)", "(random() * 127)::int::bit(7)"},
    {"varbit", "(random() * 127)::int::bit(7)::varbit"},
    {"tsvector", "to_tsvector('simple', md5(random()::text) || ' it''s ' || i)"},
    {"tsquery", "to_tsquery('simple', 'a' || i || ' & !b')"},
    {"point", "point(random(), i)"},
    {"lseg", "lseg(point(0, i), point(random(), 1))"},
    {"box", "box(point(0, i), point(random(), 1))"},
    {"path", "path '[(0,0),(1,1),(2,0)]'"},
    {"polygon", "polygon(box(point(0, 0), point(random(), 1)))"},
    {"circle", "circle(point(i, 1), random() + 1)"},
    {"line", "line(point(0, i), point(1 + random(), 5))"},
    {"pg_lsn", "('0/' || to_hex(1000 + i))::pg_lsn"},
    {"regclass", "'pg_class'::regclass"},
    {"\"char\"", "chr(65 + i)::\"char\""},
    {"xml", "('<a>' || i || '</a>')::xml"},
    {"xid8", "(random() * 1e9)::int8::text::xid8"},
    {"jsonpath", "('$.a[' || i || ']')::jsonpath"},
    {"jsonb", "CASE i % 6 WHEN 0 THEN to_jsonb(md5(random()::text)) WHEN 1 THEN to_jsonb(random()) "
              "WHEN 2 THEN '[1,[],{}]' WHEN 3 THEN 'true' WHEN 4 THEN "
              "'123456789012345678901234567890.10' ELSE jsonb_build_object('a', i, 'b', null, 'c', "
              "E'\\\\u20ac\"') END"},
    {"json", "CASE i % 3 WHEN 0 THEN '\"text\"' WHEN 1 THEN '[1,2.50]' ELSE '{\"a\":{\"b\":[]}}' "
             "END::json"},
    {"int4range", "int4range(i, i + 1 + (random() * 100)::int)"},
    {"numrange", "CASE i WHEN 0 THEN 'empty' ELSE '[' || i || '.5,)' END::numrange"},
    {"tstzrange", "tstzrange(now() - i * interval '1 day', now(), '[]')"},
    {"daterange", "daterange(current_date - i, current_date)"},
    {"int8multirange", "int8multirange(int8range(i, i + 2), int8range(i + 10, i + 20))"},
    {"int4[]",
     "CASE i WHEN 0 THEN '{}' WHEN 1 THEN '{NULL}' WHEN 2 THEN '{{1,2},{3,4}}' ELSE ARRAY[i, "
     "-i, NULL]::text END::int4[]"},
    {"int8[]", "ARRAY[9007199254740993 + i]"},
    {"float8[]", "ARRAY[random(), 'NaN', i]::float8[]"},
    {"bool[]", "ARRAY[random() < 0.5, NULL]"},
    {"text[]", "ARRAY['NULL', NULL, '', E'a\\\\\"b,{}', md5(random()::text)]"},
    {"varchar(5)[]", "ARRAY['a,b', left(md5(random()::text), 5)]"},
    {"char(3)[]", "ARRAY['a', 'bcd']::char(3)[]"},
    {"numeric(10,2)[]", "ARRAY[random() * 100, 1]::numeric(10,2)[]"},
    {"timestamptz[]", "ARRAY[now(), 'infinity', now() - random() * interval '1 year']"},
    {"date[]", "ARRAY[current_date - i]"},
    {"interval[]", "ARRAY[random() * interval '1 year']"},
    {"uuid[]", "ARRAY[gen_random_uuid(), gen_random_uuid()]"},
    {"bytea[]", "ARRAY[decode(md5(random()::text), 'hex')]"},
    {"jsonb[]", "ARRAY[jsonb_build_object('i', i), '[1,\"a\"]', '\"x\"']"},
    {"inet[]", "ARRAY[inet '10.0.0.1/8']"},
    {"box[]", "ARRAY[box(point(0, i), point(1, 1)), box(point(2, 2), point(3, 3))]"},
    {"point[]", "ARRAY[point(0, i), point(random(), 2)]"},
    {"int4range[]", "ARRAY[int4range(i, i + 2), 'empty'::int4range]"},
    {"tsvector[]", "ARRAY[to_tsvector('simple', 'a b')]"},
    // What users make of them.
    {"mood", "CASE WHEN random() < 0.5 THEN 'so, so' ELSE 'happy' END::mood"},
    {"mood[]", "ARRAY['so, so', NULL, 'happy']::mood[]"},
    {"positive", "(1 + random() * 100)::int::positive"},
    {"positive[]", "ARRAY[1, 2 + i]::positive[]"},
    {"document", "jsonb_build_object('i', i)::document"},
    {"document[]", "ARRAY[jsonb_build_object('i', i)]::document[]"},
    {"label", "md5(random()::text)::label"},
    {"moment", "(now() - random() * interval '1 year')::moment"},
    {"numbers", "ARRAY[i, 7]::numbers"},
    {"place", "ROW(i, 'a \"b\", (c)', random())::place"},
    {"place[]", "ARRAY[ROW(i, 'x,y', NULL)::place, NULL]"},
    {"span", "span(now(), now() + i * interval '1 day')"},
    {"span[]", "ARRAY[span(now(), NULL)]"}};
  return cases;
}

}  // namespace millrace::actors
