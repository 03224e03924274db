#include "connectors/sdk/sql/lexer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace millrace::sdk::sql {
namespace {

using enum SqlTokenKind;
using Kinds = std::vector<SqlTokenKind>;

/// The kinds of the tokens that are not blank.
Kinds kinds_of(std::string_view sql) {
  Kinds kinds;
  const auto tokens = tokenize(sql);
  if (!tokens) {
    ADD_FAILURE() << tokens.error().to_string() << " in " << sql;
    return kinds;
  }
  for (const auto& token : *tokens) {
    if (!token.is_blank())
      kinds.push_back(token.kind);
  }
  return kinds;
}

std::string problem_of(std::string_view sql) {
  const auto tokens = tokenize(sql);
  return tokens ? "" : tokens.error().message();
}

TEST(SqlLexerTest, TakesAStringWithDoubledQuotesAsOne) {
  EXPECT_EQ(kinds_of("'it''s ?'"), Kinds{string});
}

TEST(SqlLexerTest, LetsABackslashEscapeInEStringsOnly) {
  EXPECT_EQ(kinds_of(R"(E'a\'?' ?)"), (Kinds{string, question}));
  EXPECT_EQ(kinds_of(R"(e'\\' ?)"), (Kinds{string, question}));
  EXPECT_EQ(kinds_of(R"('a\' ?)"), (Kinds{string, question}));
  EXPECT_EQ(kinds_of(R"(U&'\' ?)"), (Kinds{string, question}));
  EXPECT_EQ(kinds_of(R"(somE'a\' ?)"), (Kinds{word, string, question}));
}

TEST(SqlLexerTest, ContinuesAStringOverALineBreak) {
  EXPECT_EQ(kinds_of("E'a'\n  'b\\'?'"), Kinds{string});
  EXPECT_EQ(kinds_of("E'a' -- note\n -- more\n 'b\\'?'"), Kinds{string});
  EXPECT_EQ(kinds_of("'a' 'b'"), (Kinds{string, string}));
  EXPECT_EQ(kinds_of("'a' /* \n */ 'b'"), (Kinds{string, string}));
}

TEST(SqlLexerTest, TakesQuotedNamesWithDoubledQuotesAsOne) {
  EXPECT_EQ(kinds_of(R"("a""?" U&"\0441?" ?)"), (Kinds{quoted_name, quoted_name, question}));
}

TEST(SqlLexerTest, EndsADollarQuoteAtItsOwnTag) {
  EXPECT_EQ(kinds_of("$$ ? 'x $$"), Kinds{string});
  EXPECT_EQ(kinds_of("$f$ $$ ? $g$ $f$ ?"), (Kinds{string, question}));
  EXPECT_EQ(kinds_of("a$f$ ? b$f$"), (Kinds{word, question, word}));
}

TEST(SqlLexerTest, NestsComments) {
  EXPECT_EQ(kinds_of("/* a /* ? */ ? */ ? -- ?"), Kinds{question});
  EXPECT_EQ(kinds_of("1 +-- ?\n ?"), (Kinds{number, operation, question}));
  EXPECT_EQ(kinds_of("2 */* ? */ 3"), (Kinds{number, operation, number}));
}

TEST(SqlLexerTest, ReadsNumbersInAllForms) {
  EXPECT_EQ(kinds_of("1 1.5 .5 1. 1e10 1.5E-3"),
            (Kinds{number, number, number, number, number, number}));
  EXPECT_EQ(kinds_of("1..2"), (Kinds{number, symbol, number}));
  EXPECT_EQ(kinds_of("1e"), (Kinds{number, word}));
}

TEST(SqlLexerTest, TellsPlaceholdersFromOperators) {
  EXPECT_EQ(kinds_of("a=?"), (Kinds{word, operation, question}));
  EXPECT_EQ(kinds_of("a ??| b ?? c"),
            (Kinds{word, double_question, operation, word, double_question, word}));
  EXPECT_EQ(kinds_of("$1 $22"), (Kinds{dollar, dollar}));
  EXPECT_EQ(kinds_of("a%s"), (Kinds{word, format}));
  EXPECT_EQ(kinds_of("a %sum"), (Kinds{word, operation, word}));
  EXPECT_EQ(kinds_of("a %% b"), (Kinds{word, double_percent, word}));
  EXPECT_EQ(kinds_of("a<%s"), (Kinds{word, operation, format}));
}

TEST(SqlLexerTest, TellsNamedPlaceholdersFromCastsSlicesAndAssignments) {
  EXPECT_EQ(kinds_of("a = :id"), (Kinds{word, operation, named}));
  EXPECT_EQ(kinds_of("a::int"), (Kinds{word, operation, word}));
  EXPECT_EQ(kinds_of("f(a := 1)"), (Kinds{word, symbol, word, operation, number, symbol}));
  EXPECT_EQ(kinds_of("a[1:n]"), (Kinds{word, symbol, number, symbol, word, symbol}));
  EXPECT_EQ(kinds_of("a[x:y]"), (Kinds{word, symbol, word, symbol, word, symbol}));
  EXPECT_EQ(kinds_of("a[(1):n]").size(), 8u);
  EXPECT_EQ(kinds_of("ARRAY[:a, :b]"), (Kinds{word, symbol, named, symbol, named, symbol}));
  EXPECT_EQ(kinds_of("a[f(:x):n]"),
            (Kinds{word, symbol, word, symbol, named, symbol, symbol, word, symbol}));
  EXPECT_EQ(kinds_of("ARRAY[CASE WHEN :a THEN 1 END]").at(4), named);
}

TEST(SqlLexerTest, SaysWhereSomethingWithoutAnEndBegins) {
  EXPECT_EQ(problem_of("SELECT 'abc"), "a string that does not end begins at column 8");
  EXPECT_EQ(problem_of("SELECT E'abc\\"), "a string that does not end begins at column 9");
  EXPECT_EQ(problem_of("SELECT \"abc"), "a quoted name that does not end begins at column 8");
  EXPECT_EQ(problem_of("SELECT\n $f$ abc $$"),
            "a dollar-quoted string that does not end begins at line 2, column 2");
  EXPECT_EQ(problem_of("/* /* */"), "a comment /* that does not end begins at column 1");
  EXPECT_EQ(problem_of({"a\0b", 3}), "a NUL character at column 2");
  EXPECT_EQ(problem_of("a = ?1"),
            "a numbered placeholder of SQLite's form, which is written $1 here, at column 5");
}

TEST(SqlLexerTest, CoversAnyTextWithoutAGap) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  static constexpr std::string_view alphabet = "a1 \n'\"$?%:-/*()[];.E&U\\,=\xc3\xa9s";
  for (int round = 0; round < 20000; ++round) {
    std::string sql(random() % 24, ' ');
    for (char& c : sql)
      c = alphabet[random() % alphabet.size()];
    const auto tokens = tokenize(sql);
    if (!tokens)
      continue;
    std::string joined;
    for (const auto& token : *tokens) {
      ASSERT_EQ(token.offset, joined.size());
      ASSERT_FALSE(token.text.empty());
      joined += token.text;
    }
    ASSERT_EQ(joined, sql);
  }
}

}  // namespace
}  // namespace millrace::sdk::sql
