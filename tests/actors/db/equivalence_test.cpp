// Batching changes no answer: the same statements and parameter sets, good and poisoned, give the
// same answers and the same tables with it and without it.
#include "connectors/sdk/json.hpp"
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace millrace::actors {
namespace {

using sdk::Value;
using Random = std::mt19937_64;
using Make = Value (*)(Random&);

int below(Random& random, int limit) {
  return std::uniform_int_distribution<int>{0, limit - 1}(random);
}

Value small(Random& random) {
  return below(random, 12) == 0 ? Value{} : Value{below(random, 40) - 3};
}

Value number(Random& random) {
  static const std::vector<Value> values{
    1, -7, 0, 12.5, Value::decimal("123.456789"), "99.95", "NaN", "abc", 100000, nullptr};
  return values[static_cast<std::size_t>(below(random, 10))];
}

Value text(Random& random) {
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

Value moment(Random& random) {
  static const std::vector<Value> values{"2026-01-02T03:04:05+00:00", "infinity", "2026-02-30",
                                         "2026-11-21 10:00:00", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

Value mood(Random& random) {
  static const std::vector<Value> values{"sad", "ok", "very happy", "furious", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

Value boxed(Random& random) {
  static const std::vector<Value> values{"(1,1),(0,0)", "(3,4),(1,2)", "no box", nullptr};
  return values[static_cast<std::size_t>(below(random, 4))];
}

Value pair(Random& random) {
  static const std::vector<Value> values{"(1,x)", "(2,\"a,b\")", "(,)", "(1", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

Value list(Random& random) {
  static const std::vector<Value> values{Value::array({1, 2}), Value::array(),
                                         Value::array({nullptr}), "{3,4}", nullptr};
  return values[static_cast<std::size_t>(below(random, 5))];
}

Value document(Random& random) {
  return below(random, 4) == 0 ? Value{"text"}
                               : Value::object({{"k", small(random)}, {"t", text(random)}});
}

struct Case {
  std::string sql;
  std::vector<Make> parameters;
};

const std::vector<std::string> schema{
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
  "CREATE PROCEDURE commits(i int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (i, "
  "'call'); COMMIT; "
  "IF i = 3 THEN RAISE EXCEPTION 'three'; END IF; END $$",
};

// Tables that are compared, with what orders their rows. Numbers of sequences may have gaps.
const std::vector<std::string> tables{
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
};

const std::vector<Case> cases{
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
  {"SELECT noted($1) AS n", {small}},
  {"CALL commits($1)", {small}},
};

class EquivalenceTest : public testing::Test {
protected:
  void SetUp() override {
    server_ = test::PostgresServer::shared();
    if (server_ == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    with_ = make("with", true);
    without_ = make("without", false);
  }

  std::unique_ptr<PoolFixture> make(const std::string& name, bool batching) {
    auto found = postgres_case(*server_);
    const auto space = test_schema() + "_" + name;
    found.settings.parameters = {{"options", "-c search_path=" + space}};
    found.settings.batching = batching;
    found.settings.pool.max_size = 1;  // so that what waits keeps its order
    auto pool = std::make_unique<PoolFixture>(found.settings, *found.driver);
    EXPECT_TRUE(pool->run("DROP SCHEMA IF EXISTS " + space + " CASCADE"));
    EXPECT_TRUE(pool->run("CREATE SCHEMA " + space));
    for (const auto& sql : schema) {
      const auto done = pool->run(sql);
      EXPECT_TRUE(done) << sql << ": " << done.error().to_string();
    }
    return pool;
  }

  static std::string to_text(const sdk::Result<sdk::SqlResult>& result) {
    if (!result)
      return result.error().to_string() + " [" + result.error().constraint() + "]";
    auto sorted = result->to_value();
    // Rows that nobody ordered come as they lie, and what failed leaves gaps.
    if (result->sql && result->sql->find("ORDER BY") == std::string::npos) {
      std::vector<std::string> rows;
      for (const auto& row : result->rows.items())
        rows.push_back(sdk::to_json(row));
      std::ranges::sort(rows);
      auto texts = Value::array();
      for (const auto& row : rows)
        texts.push_back(Value{row});
      sorted.set("rows", texts);
    }
    return sdk::to_json(sorted) + (result->sql ? *result->sql : "");
  }

  /// Each set by a caller of its own, all at the same time.
  static std::vector<std::string> run(PoolFixture& pool, const std::string& sql,
                                      const std::vector<sdk::Parameters>& sets) {
    std::vector<Awaited<ExecuteReply>> replies(sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      sdk::Statement statement{.sql = sql, .sets = {sets[i]}};
      statement.options.order_key = 7;  // else nobody says which of two writes is the first
      pool.handle().execute(std::move(statement), replies[i].callback());
    }
    std::vector<std::string> texts;
    texts.reserve(replies.size());
    for (auto& reply : replies)
      texts.push_back(to_text(reply.get().results.front()));
    return texts;
  }

  /// All sets in one message.
  static std::vector<std::string> run_together(PoolFixture& pool, const std::string& sql,
                                               const std::vector<sdk::Parameters>& sets) {
    std::vector<std::string> texts;
    for (const auto& result : pool.run(sdk::Statement{.sql = sql, .sets = sets}).results)
      texts.push_back(to_text(result));
    return texts;
  }

  void compare(const Case& one, Random& random, std::size_t count) {
    std::vector<sdk::Parameters> sets;
    // Poison is rare in some rounds, and common in others.
    const bool mild = below(random, 2) == 0;
    sdk::Parameters plain;
    for (std::size_t i = 0; i < count; ++i) {
      if (!mild || plain.empty() || below(random, 20) == 0) {
        sdk::Parameters set;
        for (const auto make : one.parameters)
          set.push_back(make(random));
        if (plain.empty())
          plain = set;
        sets.push_back(std::move(set));
      } else {
        sets.push_back(plain);
        if (plain.front().is_integer())
          sets.back().front() = Value{static_cast<std::int64_t>(i % 50)};
      }
    }
    const bool together = below(random, 2) == 0;
    const auto go = together ? &run_together : &run;
    const auto expected = go(*without_, one.sql, sets);
    const auto found = go(*with_, one.sql, sets);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(found[i], expected[i])
        << one.sql << " set " << i << " of " << count << ", together: " << together;
    for (const auto& table : tables)
      ASSERT_EQ(sdk::to_json(with_->rows(table)), sdk::to_json(without_->rows(table)))
        << table << " after " << one.sql;
  }

  test::PostgresServer* server_ = nullptr;
  std::unique_ptr<PoolFixture> with_;
  std::unique_ptr<PoolFixture> without_;
};

TEST_F(EquivalenceTest, GivesTheSameAnswersAndTablesWithBatchingAndWithout) {
  const char* given = std::getenv("MILLRACE_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10)
                                              : std::random_device{}();
  SCOPED_TRACE("MILLRACE_TEST_SEED=" + std::to_string(seed));
  Random random{seed};
  const char* rounds = std::getenv("MILLRACE_TEST_ROUNDS");
  for (int round = rounds != nullptr ? std::atoi(rounds) : 2; round > 0; --round) {
    for (const auto& one : cases) {
      for (const std::size_t count : {3, 40, 90}) {
        compare(one, random, count);
        if (HasFatalFailure())
          return;
      }
    }
  }
  const auto ways = with_->info().by_way;
  EXPECT_GT(ways[1], 0U) << "under a shared sync";
  EXPECT_GT(ways[2], 0U) << "in set form";
  const auto none = without_->info().by_way;
  EXPECT_EQ(none[1] + none[2], 0U);
}

TEST_F(EquivalenceTest, GivesEachCallerAValueOfItsOwnWhereItDiffersEachTime) {
  for (const std::string sql : {"SELECT (SELECT gen_random_uuid())::text AS v, $1::int AS n",
                                "SELECT random()::text AS v, $1::int AS n",
                                "SELECT nextval('counted_s_seq')::text AS v, $1::int AS n"}) {
    std::vector<sdk::Parameters> sets;
    sets.reserve(100);
    for (int i = 0; i < 100; ++i)
      sets.push_back({Value{i}});
    std::set<std::string> seen;
    for (const auto& text : run(*with_, sql, sets))
      seen.insert(text);
    EXPECT_EQ(seen.size(), 100U) << sql << *seen.begin();
  }
}

TEST_F(EquivalenceTest, LetsNoSettingOfACallerReachItsNeighbours) {
  const std::string sql = "SELECT set_config('app.tenant', $1::text, true) AS set, "
                          "current_setting('app.tenant', true) AS was";
  std::vector<sdk::Parameters> sets;
  sets.reserve(60);
  for (int i = 0; i < 60; ++i)
    sets.push_back({Value{std::to_string(i)}});
  EXPECT_EQ(run(*with_, sql, sets), run(*without_, sql, sets));
}

// Rows are hidden from all but superusers; here nobody is one.
TEST_F(EquivalenceTest, HidesTheRowsThatRowSecurityHidesFromEachCaller) {
  const auto role = "limited_" + std::to_string(getpid());
  static_cast<void>(without_->run("DROP OWNED BY " + role));
  static_cast<void>(without_->run("DROP ROLE IF EXISTS " + role));
  const auto space = test_schema() + "_with";
  for (const std::string& sql :
       {"CREATE ROLE " + role, "GRANT USAGE ON SCHEMA " + space + " TO " + role,
        "GRANT ALL ON ALL TABLES IN SCHEMA " + space + " TO " + role}) {
    const auto done = with_->run(sql);
    ASSERT_TRUE(done) << sql << ": " << done.error().to_string();
  }
  auto limited = postgres_case(*server_);
  std::vector<std::vector<std::string>> found;
  for (const bool batching : {true, false}) {
    limited.settings.parameters = {
      {"options", "-c search_path=" + space + " -c role=" + role + " -c app.me=2"}};
    limited.settings.batching = batching;
    limited.settings.pool.max_size = 1;
    PoolFixture pool{limited.settings, *limited.driver};
    std::vector<sdk::Parameters> sets;
    for (int i = 0; i < 60; ++i)
      sets.push_back({Value{i % 35}});
    std::vector<std::string> texts;
    for (const std::string sql :
         {"SELECT name FROM owned WHERE id = $1",
          "SELECT set_config('app.me', ($1::int % 3)::text, true), (SELECT count(*) FROM owned)",
          "SELECT count(*) AS n FROM owned WHERE id > $1"}) {
      for (auto& text : run(pool, sql, sets))
        texts.push_back(std::move(text));
    }
    found.push_back(std::move(texts));
    const auto info = pool.info();
    EXPECT_EQ(info.by_way[1] + info.by_way[2], 0U);
  }
  EXPECT_EQ(found[0], found[1]);
  const auto told = [&](std::string_view name) {
    return std::ranges::any_of(
      found[0], [&](const auto& text) { return text.find(name) != std::string::npos; });
  };
  EXPECT_TRUE(told("n2\\\"")) << "its own rows are there";
  EXPECT_FALSE(told("n3\\\"")) << "those of others are not";
  ASSERT_TRUE(with_->run("DROP OWNED BY " + role));
  ASSERT_TRUE(with_->run("DROP ROLE " + role));
}

}  // namespace
}  // namespace millrace::actors
