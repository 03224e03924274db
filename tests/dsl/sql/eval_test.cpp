#include "dsl/sql/eval.hpp"

#include <gtest/gtest.h>

namespace millrace::dsl {
namespace {

using sdk::Value;

std::string evaluated(std::string_view sql, const std::optional<Value>& parameters) {
  const auto out = eval_sql(sql, parameters);
  return out ? std::to_string(out->binds) + ": " + out->sql : out.error().message();
}

TEST(EvalSqlTest, ShowsTheClientsQueryAsItIsSent) {
  EXPECT_EQ(
    evaluated(
      "SELECT COUNT(*) AS loyaltyScore FROM loyaltyPoints WHERE customer_id = ? AND ORDERDATE "
      "BETWEEN ? AND ? GROUP BY customer_id",
      Value::array({"c-1", "2026-01-01", "currentdatetime()"})),
    "2: SELECT COUNT(*) AS loyaltyScore FROM loyaltyPoints WHERE customer_id = $1 AND ORDERDATE "
    "BETWEEN $2 AND CURRENT_TIMESTAMP GROUP BY customer_id");
}

TEST(EvalSqlTest, TakesAMapping) {
  EXPECT_EQ(evaluated("SELECT :a, :b, :a", Value::object({{"b", "CURRENT_DATE"}, {"a", 1}})),
            "1: SELECT $1, CURRENT_DATE, $1");
}

TEST(EvalSqlTest, BindsEverythingWithoutParameters) {
  EXPECT_EQ(evaluated("SELECT ?, ?", std::nullopt), "2: SELECT $1, $2");
}

TEST(EvalSqlTest, RefusesWithTheReason) {
  EXPECT_EQ(evaluated("SELECT ?", Value::array({1, 2})),
            "the query has 1 placeholder, but parameters has 2 entries");
  EXPECT_EQ(evaluated("SELECT ?", Value{7}), "parameters must be a list or a mapping, not integer");
  EXPECT_EQ(evaluated("SELECT '", std::nullopt), "a string that does not end begins at column 8");
  EXPECT_EQ(evaluated("SELECT ${$.a}", std::nullopt), "a query takes no ${…} (column 8)");
}

}  // namespace
}  // namespace millrace::dsl
