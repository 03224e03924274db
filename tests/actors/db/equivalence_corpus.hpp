// What the equivalence test runs with and without batching: the tables, the statements, and the
// values for their parameters, good ones and poisoned ones. What once gave another answer stays
// here for ever.
#pragma once

#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace millrace::actors::equivalence {

using sdk::Value;
using Random = std::mt19937_64;
using Make = Value (*)(Random&);

inline int below(Random& random, int limit) {
  return std::uniform_int_distribution<int>{0, limit - 1}(random);
}

inline Value small(Random& random) {
  return below(random, 12) == 0 ? Value{} : Value{below(random, 40) - 3};
}

inline Value number(Random& random) {
  static const std::vector<Value> values{
    1, -7, 0, 12.5, Value::decimal("123.456789"), "99.95", "NaN", "abc", 100000, nullptr};
  return values[static_cast<std::size_t>(below(random, 10))];
}

inline Value text(Random& random) {
  static const std::vector<Value> values{"a",           "",
                                         "NULL",        "null",
                                         "it's",        "a\"b",
                                         "back\\slash", "{x,y}",
                                         "a;b,c",       "ab  ",
                                         "ünïcödé",     "longer than eight",
                                         "100%",        "line\nbreak",
                                         "%a%",         nullptr};
  return values[static_cast<std::size_t>(below(random, 16))];
}

inline Value moment(Random& random) {
  static const std::vector<Value> values{"2026-01-02T03:04:05+00:00", "infinity", "2026-02-30",
                                         "2026-11-21 10:00:00", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

inline Value mood(Random& random) {
  static const std::vector<Value> values{"sad", "ok", "very happy", "furious", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

inline Value boxed(Random& random) {
  static const std::vector<Value> values{"(1,1),(0,0)", "(3,4),(1,2)", "no box", nullptr};
  return values[static_cast<std::size_t>(below(random, 4))];
}

inline Value pair(Random& random) {
  static const std::vector<Value> values{"(1,x)", "(2,\"a,b\")", "(,)", "(1", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

inline Value list(Random& random) {
  static const std::vector<Value> values{Value::array({1, 2}), Value::array(),
                                         Value::array({nullptr}), "{3,4}", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

inline Value document(Random& random) {
  return below(random, 4) == 0 ? Value{"text"}
                               : Value::object({{"k", small(random)}, {"t", text(random)}});
}

inline Value span(Random& random) {
  static const std::vector<Value> values{"[1,5)", "[4,9)",   "empty", "(,3]",
                                         "[5,1)", "[20,30]", nullptr};
  return values[static_cast<std::size_t>(below(random, 7))];
}

inline Value records(Random& random) {
  if (below(random, 6) == 0)
    return Value{"no list"};
  return Value::array({Value::object({{"k", small(random)}, {"t", text(random)}})});
}

struct Case {
  std::string sql;
  std::vector<Make> parameters;
};

inline const std::vector<std::string> schema{
  "CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy')",
  "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
  "CREATE TYPE pair AS (a int, b text)",
  "CREATE TABLE t (id int, amount numeric(6,2), name varchar(8), code char(5), feeling mood, "
  "size positive, place box, both_of pair, many int[], doc jsonb, at timestamptz, big int8)",
  "INSERT INTO t SELECT i, i * 1.25, 'n' || i, 'c' || i % 5, 'ok', i, box(point(i, i), point(0, "
  "0)), "
  "ROW(i, 'x')::pair, ARRAY[i, i + 1], jsonb_build_object('k', i), '2026-01-01', i FROM "
  "generate_series(1, 30) i",
  "CREATE TABLE keyed (id int PRIMARY KEY, name text NOT NULL, low text GENERATED ALWAYS AS "
  "(lower(name)) STORED)",
  "CREATE TABLE counted (no int GENERATED ALWAYS AS IDENTITY, s serial, id int CHECK (id <> 7), "
  "name varchar(8) DEFAULT 'none')",
  "CREATE TABLE parted (id int, name text) PARTITION BY RANGE (id)",
  "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (-100) TO (10)",
  "CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (10) TO (30)",
  "CREATE TABLE numbered (no int, name text)",
  "CREATE TABLE picky (id int, name text)",
  "CREATE FUNCTION skip_odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id % 2 = 1 THEN "
  "RETURN NULL; END IF; RETURN NEW; END $$",
  "CREATE TRIGGER skip BEFORE INSERT ON picky FOR EACH ROW EXECUTE FUNCTION skip_odd()",
  "CREATE TABLE ruled (id int)",
  "CREATE RULE twice AS ON INSERT TO ruled WHERE NEW.id < 10 DO ALSO INSERT INTO ruled VALUES "
  "(NEW.id + 100)",
  "CREATE VIEW seen AS SELECT id, name FROM keyed",
  "CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree DEFERRABLE INITIALLY "
  "DEFERRED)",
  "CREATE TABLE chain (id int PRIMARY KEY, before int REFERENCES chain)",
  "CREATE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 10 / $1'",
  "CREATE TABLE log (id int, what text)",
  "CREATE FUNCTION noted(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ($1, "
  "'noted'); "
  "RETURN $1; END $$",
  "CREATE TABLE owned (id int, owner int, name text)",
  "INSERT INTO owned SELECT i, i % 3, 'n' || i FROM generate_series(1, 30) i",
  "ALTER TABLE owned ENABLE ROW LEVEL SECURITY",
  "CREATE POLICY mine ON owned USING (owner = coalesce(nullif(current_setting('app.me', true), "
  "''), '0')::int)",
  "CREATE FUNCTION beside(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log "
  "VALUES "
  "($1, 'beside'); RETURN $1 + $2; END $$",
  "CREATE OPERATOR <#> (LEFTARG = int, RIGHTARG = int, FUNCTION = beside)",
  "CREATE TABLE stated (id int)",
  "CREATE FUNCTION note_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT "
  "count(*), 'all' FROM made; RETURN NULL; END $$",
  "CREATE TRIGGER all_of AFTER INSERT ON stated REFERENCING NEW TABLE AS made FOR EACH STATEMENT "
  "EXECUTE FUNCTION note_all()",
  "CREATE TABLE spans (r int4range, EXCLUDE USING gist (r WITH &&))",
  "CREATE TABLE noting (id int, no int DEFAULT noted(5))",
  "CREATE TABLE checking (id int CHECK (noted(id) <> 9))",
  "CREATE TABLE child (id int REFERENCES keyed ON DELETE CASCADE ON UPDATE CASCADE, what text)",
  "CREATE PROCEDURE commits(i int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (i, "
  "'call'); COMMIT; "
  "IF i = 3 THEN RAISE EXCEPTION 'three'; END IF; END $$",
};

// Tables that are compared, with what orders their rows. Numbers of sequences may have gaps.
inline const std::vector<std::string> tables{
  "SELECT id, amount, name, code, feeling, size, place::text, both_of, many, doc, at, big FROM t "
  "ORDER BY t::text",
  "SELECT * FROM keyed ORDER BY id",
  "SELECT id, name FROM counted ORDER BY no",
  "SELECT tableoid::regclass::text, id, name FROM parted ORDER BY 1, 2, 3",
  "SELECT * FROM numbered ORDER BY no, name",
  "SELECT * FROM picky ORDER BY id, name",
  "SELECT * FROM ruled ORDER BY id",
  "SELECT * FROM tree ORDER BY id",
  "SELECT * FROM chain ORDER BY id",
  "SELECT * FROM log ORDER BY id, what",
  "SELECT * FROM owned ORDER BY id, owner, name",
  "SELECT * FROM stated ORDER BY id",
  "SELECT * FROM spans ORDER BY r",
  "SELECT * FROM noting ORDER BY id, no",
  "SELECT * FROM checking ORDER BY id",
  "SELECT * FROM child ORDER BY id, what",
};

inline const std::vector<Case> cases{
  // reads
  {"SELECT name, amount FROM t WHERE id = $1", {small}},
  {"SELECT id, id, name AS id FROM t WHERE id = $1 -- both", {small}},
  {"SELECT count(*), max(name) FROM t WHERE id > $1 /* a */", {small}},
  {"SELECT id FROM t WHERE name LIKE $1 ORDER BY id DESC LIMIT 3", {text}},
  {"SELECT id FROM t ORDER BY id LIMIT $1", {small}},
  {"SELECT id FROM t WHERE id < $1 ORDER BY id OFFSET 2", {small}},
  {"SELECT generate_series(1, $1) AS n", {small}},
  {"SELECT half($1) AS h, $2::text AS x", {small, text}},
  {"WITH x AS (SELECT $1::int AS i) SELECT x.i, t.name FROM x LEFT JOIN t ON t.id = x.i", {small}},
  {"SELECT mrx.id AS mri, mrx.name AS mrq FROM t mrx WHERE mrx.id = $1", {small}},
  {"SELECT x.i, q.* FROM (SELECT id AS i FROM t) x, LATERAL (SELECT name FROM t WHERE id = x.i) q "
   "WHERE x.i = $1",
   {small}},
  {"VALUES ($1::int, $2::text), (1, 'b')", {small, text}},
  {"SELECT id FROM t WHERE feeling = $1 AND size > $2", {mood, small}},
  {"SELECT count(*) FROM t WHERE both_of = $1", {pair}},
  {"SELECT id FROM t WHERE place = $1", {boxed}},
  {"SELECT id FROM t WHERE many = $1", {list}},
  {"SELECT id FROM t WHERE id = ANY ($1)", {list}},
  {"SELECT id, doc -> 'k' AS k FROM t WHERE doc = $1", {document}},
  {"SELECT id FROM t WHERE code = $1", {text}},
  {"SELECT id FROM t WHERE name = $1::varchar(3) OR amount = $2::numeric(6,1)", {text, number}},
  {"SELECT id FROM t WHERE at > $1 ORDER BY 1", {moment}},
  {"SELECT $1::int, name FROM t WHERE id = 1", {small}},
  {"SELECT row_to_json(s)::text AS j FROM (SELECT $1::int, 1 AS a) s", {small}},
  {"SELECT id FROM seen WHERE id = $1", {small}},
  {"SELECT id FROM t WHERE id = $1 UNION SELECT id + 1 FROM t WHERE id = $1 ORDER BY id", {small}},
  {"SELECT i FROM t WHERE id = $1", {small}},
  {"SELECT FROM t WHERE id < $1", {small}},
  {"SELECT id, name FROM owned WHERE owner = $1 ORDER BY id", {small}},
  {"SELECT name FROM t WHERE id = $1;", {small}},
  // reads whose columns are called after what a parameter is written as
  {"SELECT $1::int LIMIT 1", {small}},
  {"SELECT $1::int OFFSET 0", {small}},
  {"SELECT $1::text COLLATE \"C\" FROM t WHERE id = 1", {text}},
  {"SELECT ($1::jsonb)['k'] FROM t WHERE id = 1", {document}},
  {"SELECT CASE WHEN id > 3 THEN 0 ELSE $1::int END FROM t WHERE id < 6", {small}},
  {"SELECT (CASE id WHEN 3 THEN 'x' ELSE ($1) END) FROM t WHERE id < 6", {text}},
  {"SELECT name IS DISTINCT FROM 'n1', $1::int FROM t WHERE id < 4", {small}},
  {"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id), $1::int FROM t", {small}},
  {"SELECT DISTINCT ON (name) $1::int FROM t WHERE id < 4", {small}},
  // reads of other kinds
  {"SELECT id, sum(id) OVER (ORDER BY id) AS s FROM t WHERE id < $1 ORDER BY id", {small}},
  {"SELECT ntile($1) OVER (ORDER BY id) AS n FROM t WHERE id < 5", {small}},
  {"SELECT name, count(*) FROM t WHERE id > $1 GROUP BY ROLLUP (name)", {small}},
  {"WITH RECURSIVE up (n) AS (SELECT $1::int UNION ALL SELECT n + 1 FROM up WHERE n < 20) SELECT "
   "count(*) AS n FROM up",
   {small}},
  {"SELECT string_agg(name, ',' ORDER BY name) AS names FROM t WHERE id = $1", {small}},
  {"SELECT max($1::int) AS m FROM t", {small}},
  {"SELECT count(*) FILTER (WHERE id = $1) AS n FROM t", {small}},
  {"SELECT id FROM t WHERE id IN ($1, $2) ORDER BY id", {small, small}},
  {"SELECT id FROM t WHERE id BETWEEN $1 AND $2 ORDER BY id", {small, small}},
  {"SELECT doc ->> $1 AS v FROM t WHERE id = $2", {text, small}},
  {"SELECT id FROM t WHERE coalesce($1, id) = id ORDER BY id", {small}},
  {"SELECT id FROM t WHERE $1::text IS NULL OR name = $1 ORDER BY id", {text}},
  {"SELECT id FROM t WHERE name ILIKE $1 || '%' ORDER BY id", {text}},
  {"SELECT id FROM t WHERE id > $1 ORDER BY id FETCH FIRST 2 ROWS ONLY", {small}},
  {"SELECT EXISTS (SELECT FROM keyed WHERE id = $1) AS there", {small}},
  {"SELECT a.id, b.name FROM t a JOIN LATERAL (SELECT name FROM keyed k WHERE k.id = a.id) b ON "
   "true WHERE a.id = $1",
   {small}},
  {"SELECT id FROM t WHERE id = $1 EXCEPT SELECT id FROM keyed WHERE id = $1", {small}},
  {"SELECT * FROM json_to_recordset($1) AS x (k int, t text)", {records}},
  {"SELECT 10 / $1 AS q FROM t WHERE id = 1", {small}},
  {"SELECT t FROM t WHERE id = $1", {small}},
  {"SELECT generate_series(1, $1) AS n, generate_series(1, 2) AS m", {small}},
  {"SELECT $1::char(3) || '|' AS c, $2::varchar(2) AS v, $1::bytea AS b", {text, text}},
  {"SELECT $1 = ANY (many) AS has FROM t WHERE id = 1", {small}},
  {"SELECT r FROM spans WHERE r @> $1 OR r && $2", {small, span}},
  {"SELECT $1::int <#> 2 AS n", {small}},
  // writes
  {"INSERT INTO t (id, amount, name) VALUES ($1, $2, $3)", {small, number, text}},
  {"INSERT INTO t VALUES ($1, 1.005, $2, $3, $4, $5, $6, $7, NULL, $8, $9, 1)",
   {small, text, text, mood, small, boxed, pair, document, moment}},
  {"INSERT INTO t (many, big) VALUES ($1, $2)", {list, number}},
  {"INSERT INTO keyed (id, name) VALUES ($1, $2)", {small, text}},
  {"INSERT INTO keyed (id, name, low) VALUES ($1, $2, DEFAULT) -- all", {small, text}},
  {"INSERT INTO counted (id, name) VALUES ($1, $2)", {small, text}},
  {"INSERT INTO counted (no, id) OVERRIDING USER VALUE VALUES (5, $1)", {small}},
  {"INSERT INTO parted VALUES ($1, $2::varchar(4))", {small, text}},
  {"INSERT INTO keyed (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = "
   "excluded.name",
   {small, text}},
  {"INSERT INTO keyed (id, name) VALUES ($1, $2) RETURNING id, low", {small, text}},
  {"INSERT INTO numbered VALUES ((SELECT coalesce(max(no), 0) + 1 FROM numbered), $1)", {text}},
  {"INSERT INTO picky VALUES ($1, $2)", {small, text}},
  {"INSERT INTO ruled VALUES ($1)", {small}},
  {"INSERT INTO owned VALUES ($1, $2, $3)", {small, small, text}},
  {"INSERT INTO tree VALUES ($1, $2)", {small, small}},
  {"INSERT INTO chain VALUES ($1, $2)", {small, small}},
  {"UPDATE keyed SET name = $2 WHERE id = $1", {small, text}},
  {"UPDATE t SET amount = amount / $1 WHERE id = $2", {small, small}},
  {"DELETE FROM keyed WHERE id = $1", {small}},
  {"DELETE FROM chain WHERE id = $1", {small}},
  {"WITH gone AS (DELETE FROM numbered WHERE no = $1 RETURNING *) SELECT count(*) FROM gone",
   {small}},
  {"MERGE INTO keyed k USING (VALUES ($1::int, $2::text)) AS v (id, name) ON k.id = v.id WHEN "
   "MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, "
   "v.name)",
   {small, text}},
  {"INSERT INTO keyed (id, name) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM keyed WHERE id = $1)",
   {small, text}},
  {"INSERT INTO t (id, name, code) VALUES ($1, 'fixed'::varchar(3), 'ab')", {small}},
  {"INSERT INTO stated VALUES ($1)", {small}},
  {"INSERT INTO spans VALUES ($1)", {span}},
  {"INSERT INTO spans VALUES (int4range($1, $1 + 2))", {small}},
  {"INSERT INTO noting (id) VALUES ($1)", {small}},
  {"INSERT INTO checking VALUES ($1)", {small}},
  {"INSERT INTO child VALUES ($1, $2)", {small, text}},
  {"UPDATE keyed SET id = id + 1 WHERE id = $1", {small}},
  {"UPDATE parted SET id = $2 WHERE id = $1", {small, small}},
  {"DELETE FROM spans WHERE r @> $1", {small}},
  {"WITH x AS (UPDATE keyed SET name = $2 WHERE id = $1 RETURNING id) INSERT INTO log SELECT id, "
   "'cte' FROM x",
   {small, text}},
  {"SELECT noted($1) AS n", {small}},
  {"CALL commits($1)", {small}},
};

}  // namespace millrace::actors::equivalence
