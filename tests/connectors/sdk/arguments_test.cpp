#include "connectors/sdk/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::sdk {
namespace {

using testing::HasSubstr;

TEST(ArgumentsTest, EveryStyleBecomesNumbers) {
  const auto question = bind("SELECT ? + ?", {1, 2});
  ASSERT_TRUE(question);
  EXPECT_EQ(question->sql, "SELECT $1 + $2");
  EXPECT_EQ(question->sets, (std::vector<Parameters>{{1, 2}}));
  EXPECT_EQ(bind("SELECT %s %% 2", {7})->sql, "SELECT $1 % 2");
  EXPECT_EQ(bind("SELECT $2 - $1", {1, 2})->sql, "SELECT $2 - $1");
  EXPECT_EQ(bind("SELECT '?', ?", {1})->sql, "SELECT '?', $1");
}

TEST(ArgumentsTest, NamesTakeTheirValuesInAnyOrder) {
  const auto bound = bind("SELECT :a, :b, :a::text", named({{"b", 2}, {"a", "x"}}));
  ASSERT_TRUE(bound) << bound.error().to_string();
  EXPECT_EQ(bound->sql, "SELECT $1, $2, $1::text");
  EXPECT_EQ(bound->sets.front(), (Parameters{"x", 2}));
}

TEST(ArgumentsTest, ALiteralStandsInTheStatementAndTakesNoNumber) {
  const auto bound = bind("SELECT * FROM t WHERE c = ? AND d BETWEEN ? AND ?",
                          {7, "2026-01-01", current_timestamp});
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->sql, "SELECT * FROM t WHERE c = $1 AND d BETWEEN $2 AND CURRENT_TIMESTAMP");
  EXPECT_EQ(bound->sets.front(), (Parameters{7, "2026-01-01"}));
}

TEST(ArgumentsTest, AValueThatLooksLikeALiteralIsData) {
  const auto bound = bind("SELECT ?", {"CURRENT_TIMESTAMP"});
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->sql, "SELECT $1");
}

TEST(ArgumentsTest, AMissingOptionalIsNull) {
  const auto bound = bind("SELECT ?, ?", {std::optional<int>{}, std::optional<int>{3}});
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->sets.front(), (Parameters{nullptr, 3}));
}

TEST(ArgumentsTest, CountsThatDifferAreRefusedWithBothNumbers) {
  const auto bound = bind("SELECT ?, ?, ?", {1, 2});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind(), ErrorKind::execution);
  EXPECT_THAT(bound.error().message(), HasSubstr("3"));
  EXPECT_THAT(bound.error().message(), HasSubstr("2"));
}

TEST(ArgumentsTest, NamesForPlaceholdersWithoutNamesAreRefused) {
  EXPECT_FALSE(bind("SELECT ?", named({{"a", 1}})));
  EXPECT_FALSE(bind("SELECT :a", {1}));
  EXPECT_FALSE(bind("SELECT :a", named({{"b", 1}})));
}

TEST(ArgumentsTest, ManySetsShareOneStatement) {
  const auto bound = bind_many("INSERT INTO t VALUES (?, ?)", {{1, "a"}, {2, "b"}});
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->sets.size(), 2U);
  EXPECT_FALSE(bind_many("INSERT INTO t VALUES (?, ?)", {{1, "a"}, {2, current_date}}));
}

TEST(ArgumentsTest, TwoStatementsAreRefused) {
  EXPECT_FALSE(bind("SELECT 1; SELECT 2", {}));
}

TEST(SqlResultTest, RowsAreFetchedOneByOneInPartsAndAll) {
  SqlResult result{.rows = Value::array({1, 2, 3, 4})};
  EXPECT_EQ(result.fetch_one(), Value{1});
  EXPECT_EQ(result.fetch_many(2), Value::array({2, 3}));
  EXPECT_EQ(result.fetch_all(), Value::array({4}));
  EXPECT_TRUE(result.fetch_one().is_null());
  EXPECT_EQ(result.fetch_many(5).size(), 0U);
  SqlResult fresh{.rows = Value::array({1, 2})};
  EXPECT_EQ(fresh.fetch_all().size(), 2U);
  EXPECT_EQ(fresh.fetch_all().size(), 0U);
}

}  // namespace
}  // namespace millrace::sdk
