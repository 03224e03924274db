// What is a path and what is not: the grammar of RFC 9535 cell by cell, and the words of refusals.
#include "dsl/expression/eval.hpp"
#include "dsl/expression/jsonpath.hpp"
#include "tests/dsl/expression/fixture.hpp"

namespace millrace::dsl::test {
namespace {

bool is_valid(std::string_view path) {
  return JsonPath::parse(path, {.strict = true}).has_value();
}

std::string reason(std::string_view path, bool strict = false) {
  const auto parsed = JsonPath::parse(path, {.strict = strict});
  return parsed ? "valid" : parsed.error().to_string();
}

std::string with(std::string_view pattern, std::string_view piece) {
  std::string out{pattern};
  out.replace(out.find('#'), 1, piece);
  return out;
}

TEST(JsonPathSyntaxTest, TakesBlanksWhereTheGrammarHasThem) {
  for (const std::string_view pattern : {"$#.a",
                                         "$#['a']",
                                         "$.a#.b",
                                         "$.a#[0]",
                                         "$.a#..b",
                                         "$[#'a']",
                                         "$['a'#]",
                                         "$[0#,1]",
                                         "$[0,#1]",
                                         "$[#1:2]",
                                         "$[1#:2]",
                                         "$[1:#2]",
                                         "$[1:2#:3]",
                                         "$[1:2:#3]",
                                         "$[#*]",
                                         "$[?#@.a]",
                                         "$[?@.a#]",
                                         "$[?@#.a]",
                                         "$[?@.a#==1]",
                                         "$[?@.a==#1]",
                                         "$[?@.a#&&@.b]",
                                         "$[?@.a&&#@.b]",
                                         "$[?@.a#||@.b]",
                                         "$[?@.a||#@.b]",
                                         "$[?!#@.a]",
                                         "$[?!#(@.a)]",
                                         "$[?(#@.a)]",
                                         "$[?(@.a#)]",
                                         "$[?count(#@.*)==1]",
                                         "$[?count(@.*#)==1]",
                                         "$[?match(@.a#,'b')]",
                                         "$[?match(@.a,#'b')]",
                                         "$[?@.a#<1]",
                                         "$[?@.a<=#1]",
                                         "$[?@.a#!=1]",
                                         "$[?@.a>#1]",
                                         "$[?@.a#>=1]"}) {
    for (const std::string_view blank : {"", " ", "\t", "\n", "\r", " \t\r\n "})
      EXPECT_TRUE(is_valid(with(pattern, blank))) << with(pattern, blank);
  }
}

TEST(JsonPathSyntaxTest, RefusesBlanksElsewhere) {
  for (const std::string_view pattern :
       {"#$", "$#", "$.#a", "$..#a", "$..#[0]", "$.#.a", "$[-#1]", "$.a#", "$[?count#(@.*)==1]",
        "$[?@.a=#=1]", "$[?@.a&#&@.b]", "$[?@.a==-#1]", "$[?@.a==1.#5]", "$[?@.a==1#e5]",
        "$[?@.#a]"}) {
    for (const std::string_view blank : {" ", "\t", "\n", "\r"})
      EXPECT_FALSE(is_valid(with(pattern, blank))) << with(pattern, blank);
  }
  for (const std::string_view blank : {"\f", "\v", "\xC2\xA0"})
    EXPECT_FALSE(is_valid(with("$[#0]", blank)));
}

TEST(JsonPathSyntaxTest, TakesIntegersOfIJsonOnly) {
  for (const std::string_view pattern :
       {"$[#]", "$[#:]", "$[:#]", "$[::#]", "$[0:#:1]", "$[?@[#]==1]"}) {
    for (const std::string_view integer :
         {"0", "1", "-1", "10", "9007199254740991", "-9007199254740991"})
      EXPECT_TRUE(is_valid(with(pattern, integer))) << with(pattern, integer);
    for (const std::string_view integer :
         {"00", "01", "-0", "-01", "+1", "1.0", "1e1", "- 1", "--1", "0x1", "9007199254740992",
          "-9007199254740992", "99999999999999999999", "1_000", "-", "١"})
      EXPECT_FALSE(is_valid(with(pattern, integer))) << with(pattern, integer);
  }
}

TEST(JsonPathSyntaxTest, TakesNumbersOfJsonInComparisons) {
  for (const std::string_view pattern : {"$[?@.a==#]", "$[?#<@.a]"}) {
    for (const std::string_view number : {"0", "-0", "1", "-1", "1.5", "-0.0", "1e2", "1E2", "1e+2",
                                          "1e-2", "1.5e10", "123456789012345678901234567890"})
      EXPECT_TRUE(is_valid(with(pattern, number))) << with(pattern, number);
    for (const std::string_view number : {"00", "01", "-01", "+1", ".5", "-.5", "1.", "1.e1", "1e",
                                          "1e+", "1eE1", "1e1.5", "--1", "0x10", "NaN", "Infinity"})
      EXPECT_FALSE(is_valid(with(pattern, number))) << with(pattern, number);
  }
}

TEST(JsonPathSyntaxTest, TakesTheEscapesOfStrings) {
  for (const char quote : {'\'', '"'}) {
    const auto path = [&](std::string_view inside) {
      return std::string{"$["} + quote + std::string{inside} + quote + "]";
    };
    for (const std::string_view good :
         {"", "a", "\\b", "\\f", "\\n", "\\r", "\\t", "\\/", "\\\\", "\\u0000", "\\u263A",
          "\\u263a", "\\uD834\\uDD1E", "\\ud834\\udd1e", "\x7F", "☺", "𝄞", "\\uD7FF", "\\uE000"})
      EXPECT_TRUE(is_valid(path(good))) << path(good);
    for (const std::string_view bad : {"\\",
                                       "\\a",
                                       "\\v",
                                       "\\0",
                                       "\\x41",
                                       "\\U0041",
                                       "\\u",
                                       "\\u1",
                                       "\\u12",
                                       "\\u123",
                                       "\\u123g",
                                       "\\u+123",
                                       "\\u{41}",
                                       "\\uD834",
                                       "\\uDD1E",
                                       "\\uD834\\uD834",
                                       "\\uD834x",
                                       "\\uD834\\n",
                                       "\\uDD1E\\uD834",
                                       "\\uD834\\uDD1",
                                       "\\ ",
                                       "\\\n",
                                       "\xFF",
                                       "\xC0\xAF",
                                       "\xED\xA0\x80",
                                       "\xF4\x90\x80\x80",
                                       "\xE2\x98"})
      EXPECT_FALSE(is_valid(path(bad))) << path(bad);
    for (char control = 0; control < 0x20; ++control)
      EXPECT_FALSE(is_valid(path(std::string(1, control)))) << static_cast<int>(control);
    const char other = quote == '"' ? '\'' : '"';
    EXPECT_TRUE(is_valid(path(std::string(1, other))));
    EXPECT_TRUE(is_valid(path(std::string{'\\', quote})));
    EXPECT_FALSE(is_valid(path(std::string{'\\', other})));
    EXPECT_FALSE(is_valid(path(std::string(1, quote))));
  }
}

TEST(JsonPathSyntaxTest, TakesNamesAfterADot) {
  for (const std::string_view name : {"a", "A", "_", "a1", "_1", "☺", "a☺",
                                      "\x7f"
                                      "x"}) {
    const bool good = name[0] != '\x7f';
    for (const std::string_view pattern : {"$.#", "$..#", "$.x.#", "$[?@.#]"})
      EXPECT_EQ(is_valid(with(pattern, name)), good) << with(pattern, name);
  }
  for (const std::string_view name :
       {"1", "1a", "-a", "a-b", "&", "'a'", "\"a\"", "", "a&", "$", "@", "a$", "\xFF"})
    EXPECT_FALSE(is_valid(with("$.#", name))) << name;
}

TEST(JsonPathSyntaxTest, RefusesWhatIsNoPath) {
  for (const std::string_view path : {"",           "a",        ".a",       "@",
                                      "@.a",        "$$",       "$a",       "$.",
                                      "$..",        "$...a",    "$.a.",     "$.a..",
                                      "$[",         "$]",       "$[]",      "$[0",
                                      "$0]",        "$[,]",     "$[0,]",    "$[,0]",
                                      "$[0 1]",     "$[a]",     "$[$.a]",   "$[@.a]",
                                      "$['a'",      "$['a]",    "$[']",     "$[\"a']",
                                      "$[1:2:3:4]", "$[1:a]",   "$[:::]",   "$[**]",
                                      "$.**",       "$*",       "$[?]",     "$[?()]",
                                      "$[@]",       "$.[0]",    "$.['a']",  "$.a[",
                                      "$..[",       "$[?@.a",   "$.a]",     "$[0]]",
                                      "$(a)",       "$.a+1",    "$#",       "$.a,b",
                                      "$.{a}",      "$[?(@.a]", "$[?@.a)]", "$[(@.length-1)]"})
    EXPECT_FALSE(is_valid(path)) << path;
}

TEST(JsonPathSyntaxTest, RefusesFiltersThatAreNotWellFormed) {
  for (const std::string_view filter : {"1",
                                        "'a'",
                                        "true",
                                        "null",
                                        "true && @.a",
                                        "@.a || false",
                                        "@.a = 1",
                                        "@.a === 1",
                                        "@.a <> 1",
                                        "@.a == ",
                                        "== 1",
                                        "@.a & @.b",
                                        "@.a | @.b",
                                        "@.a &&",
                                        "&& @.a",
                                        "@.a and @.b",
                                        "not @.a",
                                        "!",
                                        "!!@.a",
                                        "!@.a == 1",
                                        "(@.a) == 1",
                                        "@.a == (1)",
                                        "(@.a",
                                        "@.a)",
                                        "@.a == 1 == 2",
                                        "@.a < 1 < 2",
                                        "@.* == 1",
                                        "@..a == 1",
                                        "@[0,1] == 1",
                                        "@[0:1] == 1",
                                        "1 == @.*",
                                        "@[?@.b] == 1",
                                        "$.* == 1",
                                        "@.a == True",
                                        "@.a == NULL",
                                        "@.a == nul",
                                        "@.a == [1]",
                                        "@.a == {}",
                                        "@.a == b",
                                        "@.a + 1 == 2",
                                        "@.a =~ 'x'",
                                        "@.a in [1]",
                                        "length(@)",
                                        "count(@.*)",
                                        "value(@.*)",
                                        "length()",
                                        "length(@, @)",
                                        "length(@.*) == 1",
                                        "length(@.a == 1) == 1",
                                        "length((@.a)) == 1",
                                        "length(!@.a) == 1",
                                        "count() == 1",
                                        "count(1) == 1",
                                        "count('a') == 1",
                                        "count(@.a, @.b) == 1",
                                        "count(length(@)) == 1",
                                        "match(@.a)",
                                        "match(@.a, 'b', 'c')",
                                        "match(@.a, 'b') == true",
                                        "match(@.*, 'b')",
                                        "match(@.a, @.*)",
                                        "search(@.a)",
                                        "search(@.a, 'b') == 1",
                                        "value(1) == 1",
                                        "value() == 1",
                                        "length(match(@, 'a')) == 1",
                                        "Length(@) == 1",
                                        "foo(@)",
                                        "length (@) == 1",
                                        "length(@",
                                        "length(@ == 1",
                                        "length(@,) == 1",
                                        "length(,@) == 1",
                                        "-@.a == 1",
                                        "@.a == --1"}) {
    EXPECT_FALSE(is_valid("$[?" + std::string{filter} + "]")) << filter;
  }
}

TEST(JsonPathSyntaxTest, TakesFiltersThatAreWellFormed) {
  for (const std::string_view filter : {"@",
                                        "$",
                                        "@.a",
                                        "$.a",
                                        "!@.a",
                                        "!(@.a)",
                                        "!(@.a == 1)",
                                        "(@.a)",
                                        "((@.a))",
                                        "(@.a == 1)",
                                        "@.a && @.b",
                                        "@.a || @.b && @.c",
                                        "(@.a || @.b) && @.c",
                                        "!@.a && !@.b",
                                        "@.a == @.b",
                                        "@.a == $.b",
                                        "1 == 1",
                                        "'a' == \"a\"",
                                        "true == false",
                                        "null == null",
                                        "@.a == true",
                                        "@.a == -0",
                                        "@[0] == 1",
                                        "@['a'] == 1",
                                        "@['a'][0].b == 1",
                                        "@.*",
                                        "@..a",
                                        "@[0,1]",
                                        "@[0:1]",
                                        "@[?@.b]",
                                        "@.a[?@.b == 1]",
                                        "length(@) == 1",
                                        "length('abc') == 3",
                                        "length(@.a) == length(@.b)",
                                        "count(@.*) > 1",
                                        "count(@..*) > 1",
                                        "count($.*) > 1",
                                        "value(@..a) == 1",
                                        "match(@.a, 'b')",
                                        "!match(@.a, 'b')",
                                        "search(@.a, @.b)",
                                        "match('a', 'a')",
                                        "length(value(@.*)) == 1",
                                        "@.a == count(@.b[*])",
                                        "@.length == 1",
                                        "@.true == 1",
                                        "@['true']"}) {
    EXPECT_TRUE(is_valid("$[?" + std::string{filter} + "]"))
      << filter << ": " << reason("$[?" + std::string{filter} + "]", true);
  }
}

TEST(JsonPathSyntaxTest, TakesHyphensInNamesUnlessStrict) {
  EXPECT_EQ(reason("$.receive-customer-kafka.customerId"), "valid");
  EXPECT_EQ(reason("$[?@.a-b == 1]"), "valid");
  EXPECT_EQ(reason("$.receive-customer-kafka", true),
            "config: column 10: '-' stands in no shorthand name of RFC 9535; write ['...']");
  EXPECT_EQ(reason("$.-a"), "config: column 3: expected a name, '*' or '[' after '.', found '-'");
}

TEST(JsonPathSyntaxTest, SaysColumnAndReason) {
  EXPECT_EQ(reason("$.a[0"), "config: column 6: expected ']' or ',', found the end");
  EXPECT_EQ(reason("$.a[01]"), "config: column 5: an integer has no leading zeros");
  EXPECT_EQ(reason("$.a[-0]"), "config: column 5: -0 is no integer here");
  EXPECT_EQ(reason("$[9007199254740992]"),
            "config: column 3: an integer beyond the exact range of I-JSON (2^53 - 1)");
  EXPECT_EQ(reason("$ .a "), "config: column 5: expected '.', '[' or the end, found ' '");
  EXPECT_EQ(reason("$['\\uD800']"),
            "config: column 4: a high surrogate without the low one behind it");
  EXPECT_EQ(reason("$[?@.a = 1]"), "config: column 8: expected '==', found '='");
  EXPECT_EQ(reason("$[?!@.a == 1]"),
            "config: column 9: put the comparison into parentheses: !(a == b)");
  EXPECT_EQ(reason("$[?@.* == 1]"), "config: column 4: a path that can select several nodes cannot "
                                    "be compared; use count() or value()");
  EXPECT_EQ(reason("$[?lenght(@) == 1]"),
            "config: column 4: no function 'lenght' in filters; did you mean 'length'?");
  EXPECT_EQ(
    reason("$.1"),
    "config: column 3: expected a name, '*' or '[' after '.', found '1'; write ['...'] or [0]");
  EXPECT_EQ(reason("@.a"), "config: column 1: '@' has a meaning only inside a filter");
}

TEST(JsonPathSyntaxTest, SurvivesHostileNesting) {
  const auto repeat = [](std::string_view piece, int times) {
    std::string out;
    for (int i = 0; i < times; ++i)
      out += piece;
    return out;
  };
  EXPECT_FALSE(is_valid("$[?" + repeat("(", 100'000)));
  EXPECT_FALSE(is_valid("$" + repeat("[?@", 100'000)));
  EXPECT_FALSE(is_valid("$[?" + repeat("length(", 100'000)));
  EXPECT_FALSE(is_valid("$[?" + repeat("!(", 100'000)));
  EXPECT_TRUE(is_valid("$" + repeat("[0]", 10'000)));
  EXPECT_TRUE(is_valid("$[?@.a" + repeat("||@.a", 10'000) + "]"));
  EXPECT_TRUE(is_valid("$[?" + repeat("(", 30) + "@.a" + repeat(")", 30) + "]"));
}

TEST(JsonPathSyntaxTest, WalksValuesOfAnyDepth) {
  auto value = sdk::Value{1};
  for (int i = 0; i < 100'000; ++i) {
    auto array = sdk::Value::array();
    array.push_back(std::move(value));
    value = std::move(array);
  }
  std::vector<const sdk::Value*> nodes;
  ASSERT_TRUE(JsonPath::parse("$..[0]")->select(value, nodes));
  EXPECT_EQ(nodes.size(), 100'000U);
}

TEST(JsonPathSyntaxTest, GivesUpOnPathsThatMultiply) {
  auto items = sdk::Value::array();
  for (int i = 0; i < 200; ++i)
    items.push_back(sdk::Value{i});
  std::string path = "$";
  for (int i = 0; i < 8; ++i)
    path += "[" + std::string{"*,*,*,*,*,*,*,*"} + "]";
  auto value = items;
  for (int i = 0; i < 7; ++i)
    value = sdk::Value::array({value, value});
  const auto result = eval_jsonpath(path, value);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), sdk::ErrorKind::expression);
}

}  // namespace
}  // namespace millrace::dsl::test
