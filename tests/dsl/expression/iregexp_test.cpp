#include "dsl/expression/iregexp.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::dsl {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto regex = IRegexp::compile(pattern);
  EXPECT_TRUE(regex) << pattern;
  return regex && regex->matches(text);
}

TEST(IRegexpTest, MatchesTheWholeTextOrAPartOfIt) {
  EXPECT_TRUE(matches("ab.", "abc"));
  EXPECT_FALSE(matches("ab.", "xabc"));
  EXPECT_TRUE(IRegexp::compile("b")->found_in("abc"));
  EXPECT_FALSE(IRegexp::compile("d")->found_in("abc"));
  EXPECT_TRUE(matches("a|b|", ""));
  EXPECT_TRUE(matches("(a|bc)+", "abca"));
}

TEST(IRegexpTest, LeavesLineBreaksOutOfTheDot) {
  EXPECT_FALSE(matches("a.b", "a\nb"));
  EXPECT_FALSE(matches("a.b", "a\rb"));
  EXPECT_TRUE(matches("a.b", "a\xE2\x80\xA8"
                             "b"));
  EXPECT_TRUE(matches("a.b", "a☺b"));
  EXPECT_TRUE(matches("[.]", "."));
  EXPECT_FALSE(matches("[.]", "x"));
}

TEST(IRegexpTest, TakesCaretAndDollarAsCharactersAndAsAnchors) {
  EXPECT_TRUE(matches("^a$", "^a$"));
  EXPECT_TRUE(matches("^a$", "a"));
  EXPECT_FALSE(matches("^a$", "ba"));
  EXPECT_TRUE(matches("[$]\\^", "$^"));
}

TEST(IRegexpTest, KnowsUnicodeCategories) {
  EXPECT_TRUE(matches("\\p{Lu}\\p{Ll}+", "Élan"));
  EXPECT_TRUE(matches("\\P{L}", "1"));
  EXPECT_TRUE(matches("[\\p{Nd}x]+", "1x٣"));
  EXPECT_TRUE(matches("[^\\p{L}]", "-"));
  EXPECT_TRUE(matches("\\p{Sc}", "€"));
  EXPECT_TRUE(matches("\\p{Cn}", "\xCD\xB8"));  // U+0378 is unassigned
  EXPECT_FALSE(matches("\\p{Cn}", "a"));
  EXPECT_TRUE(matches("\\p{C}", "\xCD\xB8"));
  EXPECT_TRUE(matches("\\p{C}", std::string_view{"\0", 1}));
  EXPECT_TRUE(matches("\\P{Cn}\\P{C}", "\ta"));
  EXPECT_TRUE(matches("[^a\\p{Cn}]", "b"));
  EXPECT_FALSE(matches("[^a\\p{Cn}]", "\xCD\xB8"));
}

TEST(IRegexpTest, TakesWhatTheGrammarHas) {
  for (const std::string_view pattern : {"",
                                         "a",
                                         "a*",
                                         "a+",
                                         "a?",
                                         "a{2}",
                                         "a{2,}",
                                         "a{2,3}",
                                         "()",
                                         "(a)",
                                         "(a|b)c",
                                         "|",
                                         "[a]",
                                         "[^a]",
                                         "[a-z]",
                                         "[-a]",
                                         "[a-]",
                                         "[-]",
                                         "[^-]",
                                         "[--]",
                                         "[\\-]",
                                         "[\\]]",
                                         "[\\[]",
                                         "[a^]",
                                         "[.*+?(){}|$]",
                                         "[\\n\\r\\t]",
                                         "\\(\\)\\*\\+\\-\\.\\?\\[\\\\\\]\\^\\{\\|\\}",
                                         "\\p{L}",
                                         "\\p{Zs}",
                                         "[\\p{L}\\P{N}]",
                                         "[a\\p{L}-]",
                                         "a,b",
                                         "a-b",
                                         "a/b",
                                         "<>=!@#%&_~`'\";:",
                                         "☺+",
                                         "[☺-☻]",
                                         "\t"})
    EXPECT_TRUE(IRegexp::compile(pattern)) << pattern;
}

TEST(IRegexpTest, RefusesWhatItHasNot) {
  for (const std::string_view pattern : {"*",        "+a",         "?",
                                         "{2}",      "a**",        "a*?",
                                         "a+?",      "a{2}{3}",    "a{",
                                         "a{}",      "a{,2}",      "a{a}",
                                         "a{2",      "a{3,2}",     "a}",
                                         "]",        "a]",         "[",
                                         "[]",       "[^]",        "[a",
                                         "[a-z-9]",  "[z-a]",      "[[a]]",
                                         "[a[b]",    "[a-\\p{L}]", "(",
                                         "(a",       ")",          "a)",
                                         "(?:a)",    "(?i)a",      "(?=a)",
                                         "(?P<n>a)", "\\d",        "\\w",
                                         "\\s",      "\\b",        "\\B",
                                         "\\A",      "\\z",        "\\Q",
                                         "\\1",      "\\x41",      "\\u0041",
                                         "\\$",      "\\/",        "\\-\\",
                                         "\\p",      "\\pL",       "\\p{",
                                         "\\p{}",    "\\p{X}",     "\\p{Cs}",
                                         "\\p{Lxx}", "\\p{Latin}", "\\p{IsLatin}",
                                         "\\P",      "[\\d]",      "|*",
                                         "(*)",      "\xFF",       "[\xFF]"})
    EXPECT_FALSE(IRegexp::compile(pattern)) << pattern;
}

TEST(IRegexpTest, RefusesWhatWouldEatMemory) {
  EXPECT_FALSE(IRegexp::compile("((((a{1000}){1000}){1000}){1000})"));
  EXPECT_FALSE(IRegexp::compile("a{100000}"));
  EXPECT_FALSE(IRegexp::compile(std::string(100'000, '(')));
  EXPECT_FALSE(IRegexp::compile("a{99999999999999999999}"));
}

TEST(IRegexpTest, RemembersTheLastPatternsOfAThread) {
  const auto first = IRegexp::cached("a+");
  EXPECT_EQ(IRegexp::cached("a+"), first);
  for (int i = 0; i < 100; ++i)
    IRegexp::cached("b" + std::to_string(i));
  EXPECT_NE(IRegexp::cached("a+"), first);
  EXPECT_FALSE(IRegexp::cached("("));
  EXPECT_FALSE(IRegexp::cached("("));
}

}  // namespace
}  // namespace millrace::dsl
