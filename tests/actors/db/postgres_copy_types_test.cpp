// What COPY writes is what a parameter writes: the same value of every type, by both ways.
#include "connectors/sdk/bulk.hpp"
#include "connectors/sdk/json.hpp"
#include "tests/actors/db/conformance.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace millrace::actors {
namespace {

using sdk::Value;
using Random = std::mt19937_64;

struct TypeCase {
  const char* type;
  std::function<Value(Random&)> make;
};

int pick(Random& random, int most) {
  return std::uniform_int_distribution<int>{0, most}(random);
}

std::string digits(Random& random, int most) {
  std::string text;
  for (int i = pick(random, most) + 1; i > 0; --i)
    text += static_cast<char>('0' + pick(random, 9));
  return text;
}

std::string two(int number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string date(Random& random) {
  auto year = std::to_string(pick(random, 3000) + 1);
  year.insert(0, 4 - year.size(), '0');
  return year + "-" + two(pick(random, 11) + 1) + "-" + two(pick(random, 27) + 1);
}

std::string time(Random& random) {
  auto text = two(pick(random, 23)) + ":" + two(pick(random, 59));
  if (pick(random, 3) > 0)
    text += ":" + two(pick(random, 59));
  if (text.size() == 8 && pick(random, 1) == 0)
    text += "." + digits(random, 5);
  return text;
}

std::string zone(Random& random) {
  switch (pick(random, 3)) {
  case 0:
    return "Z";
  case 1:
    return "+" + two(pick(random, 12));
  default:
    return "-" + two(pick(random, 11)) + ":" + two(pick(random, 59));
  }
}

std::string words(Random& random) {
  static const std::vector<std::string> parts{"a",  "ä€😀", "\\", "\t", "\n", "\r",
                                              "\"", ",",   "{",  "N",  " ",  "NULL"};
  std::string text;
  for (int i = pick(random, 6); i > 0; --i)
    text += parts[static_cast<std::size_t>(pick(random, static_cast<int>(parts.size()) - 1))];
  return text;
}

Value number(Random& random) {
  const auto text = (pick(random, 1) == 0 ? "-" : "") + std::to_string(pick(random, 8) + 1)
                    + digits(random, 20) + "." + digits(random, 20);
  return pick(random, 3) == 0 ? Value{pick(random, 100'000)} : Value::decimal(text);
}

Value list_of(Random& random, const std::function<Value(Random&)>& make) {
  auto list = Value::array();
  for (int i = pick(random, 4); i > 0; --i)
    list.push_back(pick(random, 4) == 0 ? Value{} : make(random));
  return list;
}

std::string hex(Random& random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "0123456789abcdef"[pick(random, 15)];
  return text;
}

const std::vector<TypeCase>& types() {
  static const std::vector<TypeCase> all{
    {"bool", [](Random& r) { return Value{pick(r, 1) == 0}; }},
    {"int2", [](Random& r) { return Value{pick(r, 65'535) - 32'768}; }},
    {"int4", [](Random& r) { return Value{pick(r, 2'000'000'000) - 1'000'000'000}; }},
    {"int8", [](Random& r) { return Value{static_cast<std::int64_t>(r())}; }},
    {"oid", [](Random& r) { return Value{static_cast<std::int64_t>(r() >> 32U)}; }},
    {"float4", [](Random& r) { return Value{(pick(r, 2'000'000) - 1'000'000) * 0.37}; }},
    {"float8", [](Random& r) { return Value{static_cast<double>(r()) * 1e-7}; }},
    {"numeric", number},
    {"numeric(30,3)",
     [](Random& r) { return Value::decimal("1" + digits(r, 15) + "." + digits(r, 6)); }},
    {"text", [](Random& r) { return Value{words(r)}; }},
    {"varchar(200)", [](Random& r) { return Value{words(r)}; }},
    {"char(40)", [](Random& r) { return Value{words(r)}; }},
    {"json",
     [](Random& r) {
       return Value::object({{"a", words(r)}, {"b", number(r)}});
     }},
    {"jsonb", [](Random& r) { return pick(r, 1) == 0 ? Value{words(r)} : list_of(r, number); }},
    {"bytea", [](Random& r) { return Value{"\\x" + hex(r, 2 * pick(r, 20))}; }},
    {"uuid",
     [](Random& r) {
       return Value{hex(r, 8) + "-" + hex(r, 4) + "-" + hex(r, 4) + "-" + hex(r, 4) + "-"
                    + hex(r, 12)};
     }},
    {"date", [](Random& r) { return Value{date(r)}; }},
    {"time", [](Random& r) { return Value{time(r)}; }},
    {"timestamp", [](Random& r) { return Value{date(r) + " " + time(r)}; }},
    {"timestamp", [](Random& r) { return Value{date(r) + "T" + time(r) + zone(r)}; }},
    {"timestamptz", [](Random& r) { return Value{date(r) + "T" + time(r) + zone(r)}; }},
    {"interval", [](Random& r) { return Value{"P" + std::to_string(pick(r, 90)) + "DT1H"}; }},
    {"inet", [](Random& r) { return Value{"10.0.0." + std::to_string(pick(r, 255))}; }},
    {"int4[]",
     [](Random& r) { return list_of(r, [](Random& x) { return Value{pick(x, 9999)}; }); }},
    {"text[]", [](Random& r) { return list_of(r, [](Random& x) { return Value{words(x)}; }); }},
    {"numeric[]", [](Random& r) { return list_of(r, number); }},
  };
  return all;
}

class PostgresCopyTypesTest : public ConformanceTest {
protected:
  using Rows = std::shared_ptr<std::vector<sdk::Parameters>>;

  static sdk::Result<sdk::SqlResult> copy(const SessionHandle& session, const std::string& table,
                                          std::vector<std::string> columns, const Rows& rows) {
    sdk::Statement statement{.sql = "COPY " + table};
    statement.bulk = std::make_shared<const sdk::BulkRows>(
      sdk::BulkRows{table, std::move(columns), rows, 0, rows->size()});
    Awaited<ExecuteReply> reply;
    session.execute(std::move(statement), reply.callback());
    return std::move(reply.get().results.front());
  }

  /// More than what goes in one piece, or lies ready before the server takes any.
  static Rows many(int count) {
    auto rows = std::make_shared<std::vector<sdk::Parameters>>();
    for (int i = 0; i < count; ++i)
      rows->push_back({Value{i}, Value{"2026-01-02"}, Value{std::string(100, 'x')}});
    return rows;
  }
};

TEST_P(PostgresCopyTypesTest, WritesWhatAParameterWrites) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random{seed};
  int number = 0;
  for (const auto& one : types()) {
    SCOPED_TRACE(one.type);
    // A name of its own: what is prepared keeps the types of the table it met first.
    const auto table = "copied_" + std::to_string(++number);
    make("DROP TABLE IF EXISTS " + table);
    make("CREATE TABLE " + table + " (n serial, way text, v " + std::string{one.type} + ")");
    auto rows = std::make_shared<std::vector<sdk::Parameters>>();
    rows->push_back({Value{"copy"}, Value{}});
    for (int i = 0; i < 60; ++i)
      rows->push_back({Value{"copy"}, one.make(random)});
    for (const auto& row : *rows)
      make("INSERT INTO " + table + " (way, v) VALUES ($1, $2)", {Value{"parameter"}, row[1]});
    auto session = pool().begin();
    ASSERT_TRUE(session);
    const auto copied = copy(*session, table, {"way", "v"}, rows);
    ASSERT_TRUE(copied) << copied.error().to_string();
    ASSERT_TRUE(commit(*session));
    const auto pairs = pool().rows("SELECT a.v::text AS a, b.v::text AS b FROM " + table
                                   + " a JOIN " + table + " b ON b.n = a.n + 61 ORDER BY a.n");
    ASSERT_EQ(pairs.size(), 61U);
    for (const auto& pair : pairs.items())
      EXPECT_EQ(*pair.find("a"), *pair.find("b"));
  }
}

TEST_P(PostgresCopyTypesTest, LeavesTheMeaningOfOtherFormsToTheServer) {
  make("CREATE TABLE t (d date, i int4, b bool, f float8)");
  auto rows = std::make_shared<std::vector<sdk::Parameters>>();
  rows->push_back({Value{"2026-01-02"}, Value{1}, Value{true}, Value{0.5}});
  rows->push_back({Value{"epoch"}, Value{"7"}, Value{"off"}, Value{"NaN"}});
  rows->push_back({Value{"Jan 8, 1999"}, Value::decimal("12.00"), Value{"t"}, Value{"-Infinity"}});
  auto session = pool().begin();
  ASSERT_TRUE(session);
  const auto copied = copy(*session, "t", {"d", "i", "b", "f"}, rows);
  ASSERT_TRUE(copied) << copied.error().to_string();
  ASSERT_TRUE(commit(*session));
  EXPECT_EQ(sdk::to_json(pool().rows("SELECT d, i, b, f FROM t ORDER BY d")),
            R"([{"d":"1970-01-01","i":7,"b":false,"f":"NaN"},)"
            R"({"d":"1999-01-08","i":12,"b":true,"f":"-Infinity"},)"
            R"({"d":"2026-01-02","i":1,"b":true,"f":0.5}])");
}

TEST_P(PostgresCopyTypesTest, WritesAllRowsAnewWhereTheLastOneHasNoSureBinaryForm) {
  make("CREATE TABLE t (i int4, d date, s text)");
  for (const int count : {1, 100, 1'000, 5'000, 50'000}) {
    const auto rows = many(count);
    rows->back()[1] = Value{"Jan 8, 1999"};
    const auto session = pool().begin();
    ASSERT_TRUE(session);
    for (int twice = 0; twice < 2; ++twice) {
      const auto copied = copy(*session, "t", {"i", "d", "s"}, rows);
      ASSERT_TRUE(copied) << copied.error().to_string();
      EXPECT_EQ(copied->rowcount, count);
      EXPECT_EQ(copied->command, "COPY " + std::to_string(count));
    }
    ASSERT_TRUE(commit(*session));
    EXPECT_EQ(sdk::to_json(pool().rows("SELECT count(*) AS n, count(DISTINCT i) AS i, max(d) AS a, "
                                       "min(d) AS b, sum(length(s)) AS s FROM t")),
              R"([{"n":)" + std::to_string(2 * count) + R"(,"i":)" + std::to_string(count)
                + (count == 1 ? R"(,"a":"1999-01-08")" : R"(,"a":"2026-01-02")")
                + R"(,"b":"1999-01-08","s":)" + std::to_string(200 * count) + "}]");
    make("DELETE FROM t");
  }
}

TEST_P(PostgresCopyTypesTest, WritesNothingWhereAValueCannotBeSent) {
  make("CREATE TABLE t (i int4, d date, s text)");
  for (const int count : {1, 5'000, 50'000}) {
    const auto rows = many(count);
    rows->front()[1] = Value{"epoch"};  // so that all of them are text, where no NUL may be
    rows->back()[2] = Value{std::string_view{"a\0b", 3}};
    const auto session = pool().begin();
    ASSERT_TRUE(session);
    ASSERT_TRUE(run(*session, "INSERT INTO t VALUES (1, NULL, 'before')"));
    const auto refused = copy(*session, "t", {"i", "d", "s"}, rows);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "22021");
    EXPECT_FALSE(commit(*session));
    EXPECT_EQ(pool().rows("SELECT i FROM t").size(), 0U);
  }
}

TEST_P(PostgresCopyTypesTest, LeavesNoSavepointBehind) {
  make("CREATE TABLE t (i int4, d date, s text)");
  const auto session = pool().begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(copy(*session, "t", {"i", "d", "s"}, many(2)));
  const auto gone = run(*session, "ROLLBACK TO SAVEPOINT millrace_copy");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), "3B001");
  ASSERT_TRUE(rollback(*session));
  EXPECT_EQ(pool().rows("SELECT i FROM t").size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Drivers, PostgresCopyTypesTest, testing::Values("postgres"),
                         [](const auto& driver) { return driver.param; });

}  // namespace
}  // namespace millrace::actors
