#include "dsl/expression/eval.hpp"
#include "dsl/expression/numbers.hpp"
#include "tests/dsl/expression/fixture.hpp"

namespace millrace::dsl::test {
namespace {

using ConditionTest = ExpressionTest;

TEST_F(ConditionTest, ComparesOverTheRecord) {
  EXPECT_EQ(test("$.receive-orders.total >= 100 && $.receive-orders.country == 'DE'"), "true");
  EXPECT_EQ(test("$.receive-orders.total >= 100 && $.receive-orders.country == 'FR'"), "false");
  EXPECT_EQ(test("$.receive-orders.country == 'FR' || $.score.loyaltyScore > 41"), "true");
  EXPECT_EQ(test(" !($.score.loyaltyScore > 41) "), "false");
  EXPECT_EQ(test("$.receive-orders.total == 120.5"), "true");
  EXPECT_EQ(test("$.meta.receive-orders.topic == 'orders'"), "true");
  EXPECT_EQ(test("match($.receive-orders.country, 'D.') && length($.receive-orders.lines) == 3"),
            "true");
  EXPECT_EQ(test("count($.receive-orders.lines[?@.price > $.score.loyaltyScore]) == 0"), "true");
}

TEST_F(ConditionTest, AsksWhetherSomethingIsThere) {
  EXPECT_EQ(test("$.receive-orders.nothing"), "true");
  EXPECT_EQ(test("$.receive-orders.missing"), "false");
  EXPECT_EQ(test("$.receive-orders.lines[?@.price > 20]"), "true");
  EXPECT_EQ(test("!$..nowhere"), "true");
  EXPECT_EQ(test("$.*.loyaltyScore"), "true");
}

TEST_F(ConditionTest, CanBeTrueOrFalseByItself) {
  EXPECT_EQ(test("true"), "true");
  EXPECT_EQ(test("false"), "false");
}

TEST_F(ConditionTest, SaysWhatIsWrong) {
  EXPECT_EQ(test("$.receive-orders.total = 1"),
            "<text>: error: invalid condition '$.receive-orders.total = 1': column 24: expected "
            "'==', found '='");
  EXPECT_EQ(test("@.total == 1"), "<text>: error: invalid condition '@.total == 1': column 1: '@' "
                                  "has a meaning only inside a filter");
  EXPECT_EQ(test("$.recieve-orders.total == 1"),
            "<text>: error: no step 'recieve-orders' comes before this one\n  hint: did you mean "
            "'receive-orders'?");
  EXPECT_EQ(test("$.score.x == 1 extra"),
            "<text>: error: invalid condition '$.score.x == 1 extra': column 16: expected '&&', "
            "'||' or the end, found 'e'");
  EXPECT_EQ(test(""), "<text>: error: invalid condition '': column 1: expected '@', '$', a literal "
                      "or a function, found the end");
  EXPECT_FALSE(Compiler{context}.compile_condition(list({}), diagnostics));
  EXPECT_EQ(mistakes(),
            "<text>: error: a condition is text like \"$.orders.total > 100\", not a list");
}

TEST(NumbersTest, AreOrderedByTheirDigits) {
  const auto order = [](std::string_view a, std::string_view b) {
    const auto result = compare_numbers(sdk::Value::decimal(a), sdk::Value::decimal(b));
    return result < 0 ? -1 : result > 0 ? 1 : 0;
  };
  // Rising.
  const std::vector<std::string> rising{"-1e400",
                                        "-12345678901234567891",
                                        "-12345678901234567890",
                                        "-2.5",
                                        "-1",
                                        "-0.1",
                                        "0",
                                        "1e-400",
                                        "0.1",
                                        "0.10000000000000000001",
                                        "1",
                                        "1.0000000000000000001",
                                        "2",
                                        "9007199254740992",
                                        "9007199254740992.5",
                                        "9007199254740993",
                                        "1e17",
                                        "1e400",
                                        "2e400"};
  for (std::size_t i = 0; i < rising.size(); ++i) {
    for (std::size_t j = 0; j < rising.size(); ++j)
      EXPECT_EQ(order(rising[i], rising[j]), i < j   ? -1
                                             : i > j ? 1
                                                     : 0)
        << rising[i] << " and " << rising[j];
  }
  EXPECT_EQ(order("1.0", "1"), 0);
  EXPECT_EQ(order("100e-2", "1"), 0);
  EXPECT_EQ(order("-0", "0"), 0);
  EXPECT_EQ(order("0.30", "0.3"), 0);
}

TEST(EvalTest, EvaluatesOverADocument) {
  const auto document = json(R"({"a": [1, 2], "x": "y"})");
  EXPECT_EQ(sdk::to_json(*eval_jsonpath("$.a[*]", document)), "[1,2]");
  EXPECT_EQ(sdk::to_json(*eval_jsonpath("$.a[*]", document, {.paths = true})),
            R"(["$['a'][0]","$['a'][1]"])");
  EXPECT_FALSE(eval_jsonpath("$.a-b", document, {.strict = true}));
  EXPECT_EQ(sdk::to_json(*eval_expression("sum($.a[*])", document)), "3");
  EXPECT_EQ(sdk::to_json(*eval_expression("x is ${$.x}", document)), "\"x is y\"");
  EXPECT_EQ(sdk::to_json(*eval_expression("$", document)), sdk::to_json(document));
  EXPECT_EQ(eval_expression("$.a[", document).error().kind(), sdk::ErrorKind::config);
  EXPECT_EQ(eval_expression("$.a[*]", document).error().kind(), sdk::ErrorKind::expression);
  EXPECT_TRUE(*eval_condition("$.x == 'y'", document));
}

}  // namespace
}  // namespace millrace::dsl::test
