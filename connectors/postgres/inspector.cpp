#include "connectors/postgres/inspector.hpp"

#include <string_view>

namespace millrace::postgres {

namespace {

// A name means whatever it may mean: in the schemas of the search path, and in those that the
// statement names. `tied` are the tables named, their partitions and children, and those that a
// foreign key changes with them.
constexpr std::string_view query = R"(
WITH RECURSIVE spaces AS (
  SELECT oid FROM pg_catalog.pg_namespace
  WHERE nspname = ANY ($1::text[]) OR nspname = ANY (pg_catalog.current_schemas(true))
), calls AS (
  SELECT p.proname AS name, p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN
    ('now', 'clock_timestamp', 'random', 'gen_random_uuid', 'nextval') AS harmless
  FROM pg_catalog.pg_proc p
  WHERE p.proname = ANY ($1::name[]) AND p.pronamespace IN (SELECT oid FROM spaces)
    AND (p.provolatile = 'v' OR EXISTS (
      SELECT FROM pg_catalog.pg_aggregate a
      JOIN pg_catalog.pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggmfinalfn)
      WHERE a.aggfnoid = p.oid AND f.provolatile = 'v'))
), named AS (
  SELECT oid, relname, relkind, relrowsecurity FROM pg_catalog.pg_class
  WHERE relname = ANY ($1::name[]) AND relnamespace IN (SELECT oid FROM spaces)
    AND relkind IN ('r', 'p', 'f', 'v', 'm')
), tied (oid) AS (
  SELECT oid FROM named WHERE relkind IN ('r', 'p', 'f')
  UNION
  SELECT n.oid FROM tied t, LATERAL (
    SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = t.oid
    UNION ALL
    SELECT conrelid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND confrelid = t.oid
      AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))) n (oid)
)
SELECT 'lane' AS kind, 'it calls ' || name || ', which is volatile' AS what, 0 AS place, NULL::oid AS type
FROM calls WHERE NOT harmless
UNION ALL SELECT 'volatile', name, 0, NULL FROM calls WHERE harmless
UNION ALL SELECT 'lane', relname || CASE relkind WHEN 'v' THEN ' is a view' ELSE ' is a foreign table' END, 0, NULL
FROM named WHERE relkind IN ('v', 'f')
UNION ALL SELECT 'lane', relname || ' has row security', 0, NULL FROM named WHERE relrowsecurity
UNION ALL SELECT 'lane', 'the operator ' || oprname || ' is not PostgreSQL''s own', 0, NULL
FROM pg_catalog.pg_operator
WHERE oprname = ANY ($2::name[]) AND oprnamespace <> 'pg_catalog'::regnamespace
UNION ALL SELECT 'lane', 'a cast is not PostgreSQL''s own', 0, NULL
FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
WHERE p.pronamespace <> 'pg_catalog'::regnamespace AND (p.provolatile = 'v' OR EXISTS (
  SELECT FROM pg_catalog.pg_type t WHERE t.oid IN (c.castsource, c.casttarget) AND t.typname = ANY ($1::name[])))
UNION ALL SELECT 'lane', 'a domain checks its values with a volatile function', 0, NULL
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_depend d ON d.classid = 'pg_constraint'::regclass
  AND d.objid = k.oid AND d.refclassid = 'pg_proc'::regclass
JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid WHERE k.contypid <> 0 AND p.provolatile = 'v'
UNION ALL SELECT 'write', t.oid::regclass || ' has a trigger', 0, NULL FROM tied t
WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal)
UNION ALL SELECT 'write', t.oid::regclass || ' has a rule or is a foreign table', 0, NULL
FROM tied t JOIN pg_catalog.pg_class c ON c.oid = t.oid
WHERE c.relkind = 'f' OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = t.oid)
UNION ALL SELECT 'write', t.oid::regclass || ' has a constraint that is looked at last', 0, NULL FROM tied t
WHERE EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE t.oid IN (k.conrelid, k.confrelid) AND k.condeferred)
UNION ALL SELECT 'write', t.oid::regclass || ' has a default or a check that calls ' || p.proname || ', which is volatile', 0, NULL
FROM tied t, pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
WHERE d.refclassid = 'pg_proc'::regclass AND p.provolatile = 'v' AND (
  (d.classid = 'pg_attrdef'::regclass AND d.objid IN (SELECT oid FROM pg_catalog.pg_attrdef WHERE adrelid = t.oid))
  OR (d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_catalog.pg_constraint WHERE conrelid = t.oid)))
UNION ALL SELECT 'insert', t.oid::regclass || ' refers to itself', 0, NULL FROM tied t
WHERE EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conrelid = t.oid
  AND k.confrelid IN (SELECT oid FROM tied))
UNION ALL SELECT 'set', 'the types of its parameters are not known', 0, NULL WHERE $3::oid[] IS NULL
UNION ALL SELECT 'set', pg_catalog.format_type(p.type, -1) || ' does not come out of an array as it went in', 0, NULL
FROM pg_catalog.unnest($3::oid[]) p (type) LEFT JOIN pg_catalog.pg_type t ON t.oid = p.type
WHERE t.oid IS NULL OR t.typarray = 0 OR t.typcategory IN ('A', 'C') OR t.typtype = 'p'
  OR EXISTS (SELECT FROM pg_catalog.pg_type b WHERE b.oid = t.typbasetype AND b.typcategory IN ('A', 'C'))
UNION ALL SELECT 'type' || t.typdelim::text, pg_catalog.format_type(p.type, -1), p.place, p.type
FROM pg_catalog.unnest($3::oid[]) WITH ORDINALITY p (type, place) JOIN pg_catalog.pg_type t ON t.oid = p.type
ORDER BY 3)";

sdk::Value list_of(const std::vector<std::string>& texts) {
  auto list = sdk::Value::array();
  for (const auto& text : texts)
    list.push_back(sdk::Value{text});
  return list;
}

}  // namespace

sdk::Statement Inspector::inspection(const std::vector<std::string>& names,
                                     const std::vector<std::string>& operators) const {
  return {.sql = std::string{query}, .sets = {{list_of(names), list_of(operators)}}};
}

sdk::Inspection Inspector::read(const sdk::SqlResult& result) const {
  sdk::Inspection found;
  const auto note = [](std::string& reason, std::string_view what) {
    if (reason.empty())
      reason = what;
  };
  for (const auto& row : result.rows.items()) {
    const auto kind = row.find("kind")->as_string();
    const auto what = row.find("what")->as_string();
    if (kind == "lane")
      note(found.lane_refusal, what);
    else if (kind == "write")
      note(found.write_refusal, what);
    else if (kind == "set")
      note(found.set_refusal, what);
    else if (kind == "insert")
      note(found.insert_refusal, what);
    else if (kind == "volatile")
      found.calls_volatile = true;
    else
      found.parameters.push_back(
        {.type = static_cast<std::uint32_t>(row.find("type")->as_integer()),
         .name = std::string{what},
         .delimiter = kind.back()});
  }
  return found;
}

}  // namespace millrace::postgres
