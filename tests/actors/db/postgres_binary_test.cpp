// Results that came in binary are the very values that the same results in text give.
#include "connectors/sdk/json.hpp"
#include "tests/actors/db/postgres_fixture.hpp"
#include "tests/actors/db/postgres_type_cases.hpp"

#include <iostream>
#include <random>

namespace millrace::actors {
namespace {

using sdk::Value;

/// A type, and values that lie at its ends.
struct Extremes {
  std::string type;
  std::vector<std::string> literals;
};

const std::vector<Extremes>& extremes() {
  static const std::vector<Extremes> all{
    {"bool", {"true", "false"}},
    {"int2", {"-32768", "32767", "0"}},
    {"int4", {"-2147483648", "2147483647"}},
    {"int8", {"-9223372036854775808", "9223372036854775807"}},
    {"oid", {"0", "4294967295"}},
    {"float4",
     {"NaN", "Infinity", "-Infinity", "0", "-0", "0.1", "3.4028235e38", "-3.4028235e38", "1e-45",
      "1.1754944e-38", "1.1754942e-38", "16777216", "67108864", "8589973504", "33554430",
      "1.00000075", "9.5367e-7", "123456.79", "1e10"}},
    {"float8",
     {"NaN", "Infinity", "-Infinity", "0", "-0", "0.1", "1.7976931348623157e308", "5e-324",
      "2.2250738585072014e-308", "9007199254740993", "1e22", "1e23", "123456789012345680"}},
    {"numeric", {"NaN",       "Infinity",
                 "-Infinity", "0",
                 "0.0",       "0.000",
                 "-0.0001",   "1e20",
                 "1e-20",     "10000",
                 "100000000", "0.00010000",
                 "9999",      "12345678901234567890.0001000",
                 "1e400",     "-1.10",
                 "0.1e-400",  "99999999.99999999",
                 "5",         "-7.5"}},
    {"numeric(40,10)", {"1", "0", "-123456789012345678901234567890.0123456789"}},
    {"text", {"", "a", "fourteen bytes", "fifteen bytes..", "\u20ac \U0001F600 \\ \" ' {}"}},
    {"varchar(9)", {"", "abc"}},
    {"char(5)", {"", "ab"}},
    {"name", {"a_name"}},
    {"bytea", {"", "\\x00ff10", "\\xdeadbeef"}},
    {"date",
     {"infinity", "-infinity", "4713-01-01 BC", "0001-12-31 BC", "0001-01-01", "0999-02-28",
      "1600-02-29", "1900-02-28", "1900-03-01", "1999-12-31", "2000-01-01", "2000-02-29",
      "2000-03-01", "2024-02-29", "9999-12-31", "10000-01-01", "5874897-12-31"}},
    {"timestamp",
     {"infinity", "-infinity", "4713-01-01 00:00:00 BC", "0001-12-31 23:59:59.999999 BC",
      "0001-01-01 00:00:00", "1999-12-31 23:59:59.999999", "2000-01-01 00:00:00",
      "2026-02-28 01:02:03.1", "2026-02-28 01:02:03.000001", "2026-12-31 24:00:00",
      "294276-12-31 23:59:59.999999"}},
    {"timestamptz",
     {"infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "0044-03-15 10:00:00+05 BC",
      "1969-12-31 23:59:59.999999+00", "2026-02-28 01:02:03.25-03:30", "1892-05-01 12:00:00+00",
      "294276-12-31 23:59:59.999999+00"}},
    {"time", {"00:00:00", "24:00:00", "23:59:59.999999", "00:00:00.000001", "12:30:00.5"}},
    {"timetz",
     {"00:00:00+00", "24:00:00+15:59:59", "12:00:00-15:59:59", "09:47:47.5+05:30", "01:02:03-08",
      "01:02:03+00:00:01", "01:02:03-00:30"}},
    {"interval",
     {"0", "-1 day", "1 year -1 day", "-0.000001 seconds", "1 mon -1 second", "-1:02:03.5",
      "178956970 years 7 mons", "-178956970 years -8 mons", "2147483647 days", "-2147483648 days",
      "2562047788:00:54.775807", "-2562047788:00:54.775807", "1 year 2 mons 3 days 4:05:06.07",
      "13 mons", "-13 mons", "90 minutes", "59.999999 seconds"}},
    {"uuid",
     {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
      "6ecd8c99-4036-403d-bf84-cf8400f67836"}},
    {"json", {" { \"a\" : 1.0 , \"a\": [ ] } ", "null", "1e400", "\"\"", "0.10", "[[[]]]"}},
    {"jsonb", {"{\"a\": 1.0, \"b\": null}", "null", "1e30", "\"\"", "0.10", "[[[]]]"}},
    {"int4[]", {"{}", "{NULL}", "[0:1]={7,8}", "{{{1},{2}},{{3},{NULL}}}"}},
    {"text[]", {"{}", "{\"\",NULL,\"NULL\",\"{}\",\"a,b\"}", "{{a,b},{c,d}}"}},
    {"date[]", {"{infinity,2000-02-29,NULL}"}},
    {"timestamptz[]", {"{infinity,\"2026-02-28 01:02:03.25-03:30\"}"}},
    {"float4[]", {"{NaN,-0,0.1,1e-45}"}},
    {"numeric[]", {"{NaN,1.10,-0.00}"}},
    {"jsonb[]", {"{\"{\\\"a\\\": [1]}\",NULL,\"[]\"}"}},
    {"uuid[]", {"{6ecd8c99-4036-403d-bf84-cf8400f67836}"}},
    {"bytea[]", {"{\"\\\\x00ff\"}"}},
    {"interval[]", {"{\"1 year -1 day\",0}"}},
    {"bool[]", {"{t,f,NULL}"}},
    {"mood", {"happy"}},
    {"mood[]", {"{happy,\"so, so\",NULL}"}},
    {"numbers", {"{1,2}"}},
    {"positive[]", {"{1,2}"}},
    {"place", {"(1,\"a, \"\"b\"\"\",)"}},
    {"place[]", {"{\"(1,a,)\",NULL}"}},
    {"span", {"empty", "[2026-01-01,2026-01-02)"}}};
  return all;
}

/// Equal, and of the same kinds: 1.0 is not 1 here.
bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind() || sdk::to_json(a) != sdk::to_json(b))
    return false;
  if (a.is_array()) {
    for (std::size_t i = 0; i < a.items().size(); ++i) {
      if (!same(a.items()[i], b.items()[i]))
        return false;
    }
  }
  if (a.is_object()) {
    for (std::size_t i = 0; i < a.members().size(); ++i) {
      if (!same(a.members()[i].value, b.members()[i].value))
        return false;
    }
  }
  return true;
}

class PostgresBinaryTest : public PostgresTest {
protected:
  void prepare() override {
    case_.settings.pool.max_size = 1;  // so that what waits is one queue
    open();
    EXPECT_TRUE(pool_->run("DROP SCHEMA IF EXISTS " + test_schema() + " CASCADE"));
    EXPECT_TRUE(pool_->run("CREATE SCHEMA " + test_schema()));
    for (const auto& sql : types_of_users())
      EXPECT_TRUE(pool_->run(sql)) << sql;
  }

  void TearDown() override {
    if (pool_)
      static_cast<void>(pool_->run("DROP SCHEMA " + test_schema() + " CASCADE"));
    PostgresTest::TearDown();
  }

  /// The rows as text gives them: with a column whose binary form is not read, none comes so.
  Value text_rows(const std::string& sql, const sdk::Parameters& parameters = {}) {
    const auto rows = pool_->rows("SELECT q.*, point(0, 0) AS in_text FROM (" + sql + ") q",
                                  parameters);
    auto found = Value::array();
    for (auto row : rows.items()) {
      EXPECT_TRUE(row.erase("in_text"));
      found.push_back(std::move(row));
    }
    return found;
  }

  void expect_same(const std::string& sql) {
    const auto expected = text_rows(sql);
    const auto found = pool_->rows(sql);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(same(found.items()[i], expected.items()[i]))
        << sdk::to_json(found.items()[i]) << "\nin text " << sdk::to_json(expected.items()[i]);
    }
  }
};

TEST_F(PostgresBinaryTest, GivesTheValuesOfTextForEveryType) {
  const std::uint64_t number = std::random_device{}();
  std::cout << "seed " << number << std::endl;
  SCOPED_TRACE("seed " + std::to_string(number));
  std::mt19937_64 random{number};
  int tables = 0;
  for (const auto& type : type_cases()) {
    SCOPED_TRACE(type.type);
    const auto table = "made" + std::to_string(++tables);
    ASSERT_TRUE(pool_->run("CREATE TABLE " + table + " (i INTEGER, v " + type.type + ")"));
    const auto session = pool_->begin();
    ASSERT_TRUE(session);
    ASSERT_TRUE(run(*session, "SELECT setseed($1)",
                    {Value{std::uniform_real_distribution{-1.0, 1.0}(random)}}));
    ASSERT_TRUE(run(*session, "INSERT INTO " + table + " SELECT i, (" + type.made_by
                                + ") FROM generate_series(0, 19) i"));
    ASSERT_TRUE(commit(*session));
    expect_same("SELECT v, i FROM " + table + " ORDER BY i");
  }
}

TEST_F(PostgresBinaryTest, GivesTheValuesOfTextAtTheEndsOfEveryTypeInEachOfTheThreeWays) {
  for (const int way : {0, 1, 2}) {
    case_.settings.batching = way > 0;
    open();
    for (const auto& [type, literals] : extremes()) {
      SCOPED_TRACE(type + " in way " + std::to_string(way));
      const std::string statement = "SELECT $1::int4 AS i, $2::text::" + type + " AS v"
                                    + (way == 1 ? ", random() < 2 AS r" : "");
      sdk::Statement all{.sql = statement, .sets = {}};
      std::vector<Value> expected;
      for (const auto& literal : literals) {
        all.sets.push_back({Value{static_cast<int>(all.sets.size())}, Value{literal}});
        expected.push_back(text_rows(statement, all.sets.back()));
      }
      all.sets.push_back({Value{-1}, Value{}});
      expected.push_back(text_rows(statement, all.sets.back()));
      for (int round = 0; round < 4; ++round) {
        const auto replies = pool_->run(all);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          const auto& found = replies.results[i];
          ASSERT_TRUE(found) << sdk::to_json(all.sets[i][1]) << found.error().to_string();
          EXPECT_TRUE(same(found->rows, expected[i]))
            << sdk::to_json(found->rows) << "\nin text " << sdk::to_json(expected[i]);
        }
      }
    }
  }
}

TEST_F(PostgresBinaryTest, WidensSingleNumbersAsTheServerWritesThem) {
  expect_same("SELECT sign * (2::float8 ^ i)::float4 AS v FROM generate_series(-149, 127) i, "
              "(VALUES (1::float4), (-1)) s (sign)");
  // Next to powers of two, where what rounds to a number lies closer on one side.
  expect_same("SELECT ((2::float8 ^ i) * (1 + k * 2::float8 ^ -24))::float4 AS v FROM "
              "generate_series(-120, 120) i, generate_series(-4, 4) k");
  expect_same("SELECT (i * 1000 + k)::float4 AS v FROM generate_series(16770, 16800) i, "
              "generate_series(0, 999) k");
  ASSERT_TRUE(pool_->run("CREATE TABLE singles AS SELECT ((random() - 0.5) * 10::float8 ^ "
                         "(i % 70 - 35))::float4 AS v FROM generate_series(1, 20000) i"));
  expect_same("SELECT v FROM singles");
}

TEST_F(PostgresBinaryTest, DoesNotDependOnSettingsThatShapeTextAlone) {
  case_.settings.parameters = {{"options", "-c bytea_output=escape -c extra_float_digits=-3"}};
  open();
  EXPECT_EQ(sdk::to_json(pool_->rows("SELECT '\\x00ff'::bytea AS b, 0.123456789012345::float8 AS "
                                     "f")),
            R"([{"b":"\\x00ff","f":0.123456789012345}])");
}

TEST_F(PostgresBinaryTest, KeepsTheStyleThatASessionHasChosen) {
  const auto session = pool_->begin();
  ASSERT_TRUE(session);
  const std::string sql = "SELECT '2026-07-01 12:00:00+00'::timestamptz AS t, '1 day'::interval AS "
                          "i, '2026-07-01'::date AS d";
  const auto in = [&](const std::string& style) {
    Awaited<ExecuteReply> set;
    Awaited<ExecuteReply> found;
    session->execute({.sql = style}, set.callback());
    session->execute({.sql = sql}, found.callback());  // is under way before the style is known
    EXPECT_TRUE(set.get().results.front()) << style;
    const auto early = sdk::to_json(found.get().results.front()->rows);
    EXPECT_EQ(early, sdk::to_json(run(*session, sql)->rows)) << style;
    return early;
  };
  const std::string usual = R"([{"t":"2026-07-01T12:00:00+00:00","i":"P1D","d":"2026-07-01"}])";
  EXPECT_EQ(sdk::to_json(run(*session, sql)->rows), usual);
  EXPECT_EQ(in("SET TimeZone = 'Europe/Berlin'"),
            R"([{"t":"2026-07-01T14:00:00+02:00","i":"P1D","d":"2026-07-01"}])");
  EXPECT_EQ(in("SELECT set_config('IntervalStyle', 'postgres', false)"),
            R"([{"t":"2026-07-01T14:00:00+02:00","i":"1 day","d":"2026-07-01"}])");
  EXPECT_EQ(in("SET DateStyle = 'German'"),
            R"([{"t":"01.07.2026T14:00:00 CEST","i":"1 day","d":"01.07.2026"}])");
  EXPECT_EQ(in("RESET ALL"), usual);
  EXPECT_TRUE(commit(*session));
}

TEST_F(PostgresBinaryTest, ReadsLargeResultsRowByRow) {
  ASSERT_TRUE(
    pool_->run("CREATE TABLE large AS SELECT i AS id, 1 AS part, 'name of ' || i AS name, "
               "now() AS at, NULL::text AS nothing FROM generate_series(1, 3000) i"));
  const std::string sql = "SELECT id, 6 / part AS share, name, at, nothing FROM large ORDER BY id";
  for (int round = 0; round < 3; ++round)
    expect_same(sql);
  const auto whole = pool_->run(sql);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->rowcount, 3000);
  EXPECT_EQ(whole->command, "SELECT 3000");
  EXPECT_EQ(whole->shape->columns().size(), 5U);
  // It fails behind its first rows, and nobody else does.
  ASSERT_TRUE(pool_->run("UPDATE large SET part = 0 WHERE id = 2000"));
  const auto failed = pool_->run(sql);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), "22012");
  ASSERT_TRUE(pool_->run("UPDATE large SET part = 2 WHERE id = 2000"));
  expect_same(sql);
  ASSERT_TRUE(pool_->run("DELETE FROM large WHERE id > 2"));
  for (int round = 0; round < 2; ++round)
    expect_same(sql);
  ASSERT_TRUE(pool_->run("DELETE FROM large"));
  expect_same(sql);
}

TEST_F(PostgresBinaryTest, KeepsTheLastOfColumnsWithOneName) {
  expect_same("SELECT 1 AS a, 2 AS b, 3 AS a");
  std::string many = "SELECT 0 AS c0";
  for (int i = 1; i < 40; ++i)
    many.append(", ").append(std::to_string(i)).append(" AS c").append(std::to_string(i % 30));
  expect_same(many);
  EXPECT_EQ(pool_->rows(many).items()[0].find("c7")->as_integer(), 37);
}

}  // namespace
}  // namespace millrace::actors
