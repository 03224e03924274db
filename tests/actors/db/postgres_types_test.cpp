// What comes out of PostgreSQL goes back in as a parameter of the same column.
#include "connectors/sdk/json.hpp"
#include "tests/actors/db/postgres_fixture.hpp"

namespace millrace::actors {
namespace {

using sdk::Value;

class PostgresTypesTest : public PostgresTest {
protected:
  void prepare() override {
    open();
    make_schema(*pool_);
  }

  std::string first(const std::string& sql, sdk::Parameters parameters = {}) {
    const auto result = pool_->run(sql, std::move(parameters));
    return result ? sdk::to_json(result->rows.items()[0].members()[0].value)
                  : result.error().to_string();
  }
};

TEST_F(PostgresTypesTest, TakesBackEveryValueThatItGave) {
  for (const auto& [type, literal] : std::vector<std::pair<std::string, std::string>>{
         {"bool", "true"},
         {"int2", "-7"},
         {"int8", "9007199254740993"},
         {"float4", "0.1"},
         {"float8", "'-Infinity'"},
         {"numeric", "1.10"},
         {"numeric", "'NaN'"},
         {"numeric(40,10)", "123456789012345678901234567890.0123456789"},
         {"text", "'it''s'"},
         {"varchar(3)", "'abc'"},
         {"bytea", "'\\xdeadbeef'"},
         {"date", "'2026-11-21'"},
         {"date", "'0044-03-15 BC'"},
         {"timestamp", "'2026-11-21 09:47:47.5'"},
         {"timestamptz", "'2026-11-21 09:47:47+02'"},
         {"timestamptz", "'infinity'"},
         {"time", "'09:47:47.25'"},
         {"timetz", "'09:47:47+02'"},
         {"interval", "'1 day 2 hours'"},
         {"uuid", "'6ecd8c99-4036-403d-bf84-cf8400f67836'"},
         {"inet", "'10.0.0.1/8'"},
         {"jsonb", "'{\"a\": [1, null, \"x\"]}'"},
         {"jsonb", "'\"abc\"'"},
         {"jsonb", "'12.50'"},
         {"json", "'[1,{}]'"},
         {"int4[]", "'{1,NULL,3}'"},
         {"int4[]", "'{}'"},
         {"int4[]", "'{{1,2},{3,4}}'"},
         {"text[]", "'{\"a,b\",NULL,\"NULL\",\"q\\\"\\\\\"}'"},
         {"bool[]", "'{t,f}'"},
         {"numeric[]", "'{1.10,2}'"},
         {"jsonb[]", "array['{\"a\": 1}'::jsonb]"},
         {"timestamptz[]", "'{2026-11-21 09:47:47+02}'"},
         {"int4range", "'[1,5)'"},
         {"box", "'(1,1),(0,0)'"},
         {"box[]", "'{(1,1),(0,0);(2,2),(0,0)}'"}}) {
    std::string expression{"("};
    expression.append(literal).append(")::").append(type);
    const auto result = pool_->run("SELECT " + expression + " AS value");
    ASSERT_TRUE(result) << expression << ": " << result.error().to_string();
    const auto value = result->rows.items()[0].members()[0].value;
    std::string same{"SELECT $1::"};
    same.append(type)
      .append("::text IS NOT DISTINCT FROM ")
      .append(expression)
      .append("::text AS same");
    const auto back = first(same, {value});
    EXPECT_EQ(back, "true") << expression << " came as " << sdk::to_json(value);
  }
}

TEST_F(PostgresTypesTest, LetsTheServerInferTheTypesOfParameters) {
  EXPECT_EQ(first("SELECT 7 = ANY ($1)", {Value::array({Value{1}, Value{7}})}), "true");
  EXPECT_EQ(first("SELECT repeat('a', $1)", {Value{3}}), R"("aaa")");
  EXPECT_EQ(first("SELECT (date '2026-01-01' + $1)::text", {Value{1}}), R"("2026-01-02")");
  EXPECT_EQ(first("SELECT 'x' || $1", {Value{"y"}}), R"("xy")");
  EXPECT_EQ(first("SELECT count(*) FROM generate_series(1, 10) i WHERE i < $1", {Value{4}}), "3");
  EXPECT_EQ(first("SELECT '[1,2]'::jsonb @> $1", {Value::array({Value{2}})}), "true");
}

TEST_F(PostgresTypesTest, SaysTheTypeItselfWhereTheServerCannotInferIt) {
  EXPECT_EQ(first("SELECT $1 IS NULL", {Value{}}), "true");
  EXPECT_EQ(first("SELECT jsonb_build_object('a', $1)", {Value{5}}), R"({"a":5})");
  EXPECT_EQ(first("SELECT jsonb_build_object('a', $1, 'b', $2)", {Value{0.5}, Value{"x"}}),
            R"({"a":0.5,"b":"x"})");
  EXPECT_EQ(first("SELECT pg_typeof($1)::text", {Value{5'000'000'000}}), R"("bigint")");
}

TEST_F(PostgresTypesTest, RunsWithoutPreparedStatementsToo) {
  case_.settings.statement_cache = 0;
  pool_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(first("SELECT $1::int + 1", {Value{i}}), std::to_string(i + 1));
  EXPECT_EQ(first("SELECT count(*) FROM pg_prepared_statements"), "0");
}

TEST_F(PostgresTypesTest, ForgetsThePreparedStatementsThatWereUsedLeast) {
  case_.settings.statement_cache = 4;
  case_.settings.pool.max_size = 1;
  pool_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(first("SELECT $1::int + " + std::to_string(i), {Value{1}}), std::to_string(i + 1));
  EXPECT_LE(std::stoi(first("SELECT count(*) FROM pg_prepared_statements")), 5);
}

}  // namespace
}  // namespace millrace::actors
