#include "connectors/sdk/sql/placeholder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::sdk::sql {
namespace {

using Literals = std::vector<DriverLiteral>;
constexpr auto bound = DriverLiteral::none;
constexpr auto now = DriverLiteral::current_timestamp;

/// The statement with everything bound, or the reason why not.
std::string sent(std::string_view sql, Dialect dialect = Dialect::postgres) {
  const auto statement = parse_statement(sql);
  if (!statement)
    return statement.error().to_string();
  return rewrite(*statement, Literals(statement->parameter_count), dialect)->sql;
}

Rewritten sent_with(std::string_view sql, const Literals& entries,
                    Dialect dialect = Dialect::postgres) {
  const auto statement = parse_statement(sql);
  if (!statement) {
    ADD_FAILURE() << statement.error().to_string();
    return {};
  }
  auto rewritten = rewrite(*statement, entries, dialect);
  if (!rewritten) {
    ADD_FAILURE() << rewritten.error().to_string();
    return {};
  }
  return *rewritten;
}

TEST(PlaceholderTest, NumbersQuestionMarks) {
  EXPECT_EQ(sent("SELECT * FROM t WHERE a = ? AND b IN (?, ?)"),
            "SELECT * FROM t WHERE a = $1 AND b IN ($2, $3)");
  EXPECT_EQ(sent("SELECT ?, ?", Dialect::sqlite), "SELECT $1, $2");
}

TEST(PlaceholderTest, WritesDriverLiteralsAndNumbersTheRestWithoutAGap) {
  const auto query = "SELECT 1 FROM t WHERE c = ? AND d BETWEEN ? AND ?";
  auto out = sent_with(query, {bound, bound, now});
  EXPECT_EQ(out.sql, "SELECT 1 FROM t WHERE c = $1 AND d BETWEEN $2 AND CURRENT_TIMESTAMP");
  EXPECT_EQ(out.binds, (std::vector<std::size_t>{0, 1}));
  out = sent_with(query, {bound, now, bound});
  EXPECT_EQ(out.sql, "SELECT 1 FROM t WHERE c = $1 AND d BETWEEN CURRENT_TIMESTAMP AND $2");
  EXPECT_EQ(out.binds, (std::vector<std::size_t>{0, 2}));
  out = sent_with("SELECT ?", {now}, Dialect::sqlite);
  EXPECT_EQ(out.sql, "SELECT strftime('%Y-%m-%dT%H:%M:%fZ','now')");
  EXPECT_TRUE(out.binds.empty());
}

TEST(PlaceholderTest, LeavesNativeNumbersAsTheyAre) {
  const auto out = sent_with("SELECT $2, $1, $2", {bound, bound});
  EXPECT_EQ(out.sql, "SELECT $2, $1, $2");
  EXPECT_EQ(out.binds, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(sent_with("SELECT $1, $2, $3", {bound, now, bound}).sql,
            "SELECT $1, CURRENT_TIMESTAMP, $2");
}

TEST(PlaceholderTest, RefusesNumbersThatPostgresCannotTake) {
  EXPECT_EQ(sent("SELECT $1, $3"),
            "execution: the statement goes up to $3 but never uses $2; number the placeholders "
            "without a gap");
  EXPECT_EQ(sent("SELECT $0"),
            "execution: there is no parameter $0 (column 8); parameters are numbered "
            "from $1 to $65535");
  EXPECT_NE(sent("SELECT $99999999999999999999").find("there is no parameter"), std::string::npos);
}

TEST(PlaceholderTest, TakesPercentStyle) {
  EXPECT_EQ(sent("SELECT a %% 2 FROM t WHERE b = %s AND c = %s"),
            "SELECT a % 2 FROM t WHERE b = $1 AND c = $2");
  EXPECT_EQ(sent("SELECT a %% 2, 'x%%y'"), "SELECT a % 2, 'x%%y'");
  EXPECT_EQ(sent("SELECT a %% ?"), "SELECT a %% $1");
}

TEST(PlaceholderTest, BindsARepeatedNameOnce) {
  const auto statement = parse_statement("SELECT :b, :a, :b::text, x[1:n] FROM t");
  ASSERT_TRUE(statement);
  EXPECT_EQ(statement->names, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(statement->parameter_count, 2u);
  EXPECT_EQ(rewrite(*statement, Literals(2), Dialect::postgres)->sql,
            "SELECT $1, $2, $1::text, x[1:n] FROM t");
}

TEST(PlaceholderTest, LeavesWhatStandsInQuotesAndCommentsAlone) {
  const std::string sql = R"(SELECT '?', "?", E'\'?', $$ ? :a $1 %s $$, /* ? /* ? */ */ 1 -- ?)";
  EXPECT_EQ(sent(sql), sql);
}

TEST(PlaceholderTest, MakesTwoQuestionMarksTheOperator) {
  EXPECT_EQ(sent("SELECT d ?? 'a', d ??| ?, d @?? ?"), "SELECT d ? 'a', d ?| $1, d @? $2");
  EXPECT_EQ(sent("SELECT $1 ?? 'a'"), "SELECT $1 ? 'a'");
}

TEST(PlaceholderTest, KeepsTokensApart) {
  EXPECT_EQ(sent("SELECT?FROM t WHERE a=?AND b"), "SELECT $1 FROM t WHERE a=$2 AND b");
  EXPECT_EQ(sent_with("SELECT?FROM t", {now}).sql, "SELECT CURRENT_TIMESTAMP FROM t");
}

TEST(PlaceholderTest, RefusesTwoStylesInOneStatement) {
  EXPECT_EQ(sent("SELECT ?, $1"),
            "execution: the statement mixes placeholders: ? at column 8 and $1 at "
            "column 11; the operator ? is written ??");
  EXPECT_EQ(sent("SELECT :a, %s"),
            "execution: the statement mixes placeholders: :name at column 8 and %s "
            "at column 12; put a blank behind a % that divides");
}

TEST(PlaceholderTest, SaysBothNumbersWhereTheCountIsWrong) {
  const auto statement = parse_statement("SELECT ?, ?, ?");
  ASSERT_TRUE(statement);
  EXPECT_EQ(
    check_parameter_list(*statement, 2).error().to_string(),
    "execution: the query has 3 placeholders, but parameters has 2 entries; an operator that is "
    "written ? needs ??");
  EXPECT_EQ(rewrite(*statement, Literals(4), Dialect::postgres).error().to_string(),
            "execution: the query has 3 placeholders, but parameters has 4 entries");
  EXPECT_TRUE(check_parameter_list(*statement, 3));
  EXPECT_TRUE(check_parameter_list(*parse_statement("SELECT 1"), 0));
}

TEST(PlaceholderTest, MatchesNamesWithKeys) {
  const auto statement = parse_statement("SELECT :id, :state");
  ASSERT_TRUE(statement);
  const auto match = [&](std::vector<std::string_view> keys) {
    return match_parameter_names(*statement, keys);
  };
  EXPECT_EQ(*match({"state", "id"}), (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(
    match({"id", "stat"}).error().to_string(),
    "execution: the query names :state, but parameters has no such key; did you mean 'stat'?");
  EXPECT_EQ(match({"id", "state", "more"}).error().to_string(),
            "execution: parameters has the key 'more', which the query does not use");
  EXPECT_NE(check_parameter_list(*statement, 2).error().message().find("is a list"),
            std::string::npos);
  const std::vector<std::string_view> keys{"id"};
  EXPECT_NE(
    match_parameter_names(*parse_statement("SELECT ?"), keys).error().message().find("form ?"),
    std::string::npos);
}

TEST(PlaceholderTest, KnowsDriverLiteralsByTheirText) {
  EXPECT_EQ(driver_literal("currentdatetime()"), now);
  EXPECT_EQ(driver_literal(" current_timestamp "), now);
  EXPECT_EQ(driver_literal("CURRENT_DATE"), DriverLiteral::current_date);
  EXPECT_EQ(driver_literal("CURRENT_TIMESTAMP; DROP TABLE t"), bound);
  EXPECT_EQ(driver_literal("currentdatetime"), bound);
  EXPECT_EQ(driver_literal(""), bound);
  EXPECT_EQ(parse_driver_literal(to_string(now)), now);
}

TEST(PlaceholderTest, CutsTheEndAndRefusesSeveralStatements) {
  EXPECT_EQ(sent("SELECT 1 ; \n"), "SELECT 1");
  EXPECT_EQ(sent("SELECT 1; -- done\n;"), "SELECT 1");
  EXPECT_EQ(
    sent("SELECT 1; DELETE FROM t"),
    "execution: the query holds more than one statement: the second begins at column 11; use one "
    "step for each statement, or executeBatch");
  EXPECT_EQ(sent(" -- nothing\n"), "execution: the query is empty");
}

TEST(PlaceholderTest, RefusesTemplates) {
  EXPECT_TRUE(refuse_templates("SELECT $1, $$a$$"));
  EXPECT_EQ(
    refuse_templates("SELECT '${$.in.id}'").error().to_string(),
    "execution: a query takes no ${…} (column 9); write ? there and put the expression into "
    "parameters");
}

}  // namespace
}  // namespace millrace::sdk::sql
