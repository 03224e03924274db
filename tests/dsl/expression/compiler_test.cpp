#include "tests/dsl/expression/fixture.hpp"

namespace millrace::dsl::test {
namespace {

using CompilerTest = ExpressionTest;

TEST_F(CompilerTest, ReadsAPathAsSlotAndSteps) {
  EXPECT_EQ(run("$.receive-orders.id"), "7");
  EXPECT_EQ(run("$.receive-orders.total"), "120.50");
  EXPECT_EQ(run("$['receive-orders'].lines[-1].sku"), R"("c")");
  EXPECT_EQ(run("$.score"), R"({"loyaltyScore":42})");
  EXPECT_EQ(run("$.meta.receive-orders.offset"), "99");
}

TEST_F(CompilerTest, GivesNullForWhatIsNotThere) {
  EXPECT_EQ(run("$.receive-orders.missing.deep[3]"), "null");
  EXPECT_EQ(run("$.receive-orders.nothing"), "null");
}

TEST_F(CompilerTest, RefusesANameThatNoEarlierStepHas) {
  EXPECT_EQ(run("$.recieve-orders.id"), "<text>: error: no step 'recieve-orders' comes before this "
                                        "one\n  hint: did you mean 'receive-orders'?");
  EXPECT_EQ(run("$.publish.id"), "<text>: error: step 'publish' does not come before this one\n  "
                                 "hint: a path sees the steps above it");
  EXPECT_EQ(run("$.meta.recieve-orders.offset"),
            "<text>: error: '$.meta' has no source 'recieve-orders'\n  hint: did you mean "
            "'receive-orders'?");
  EXPECT_EQ(run("$.score[?@ > $.scores.x]"),
            "<text>: error: no step 'scores' comes before this one\n  hint: did you mean 'score'?");
}

TEST_F(CompilerTest, SeesTheWholeRecordWhereAPathNeedsIt) {
  EXPECT_EQ(run(mapping({{"path", scalar("$..sku")}, {"all", scalar("true", false)}})),
            R"(["a","b","c"])");
  EXPECT_EQ(run(mapping({{"path", scalar("$.*.loyaltyScore")}, {"all", scalar("true", false)}})),
            "[42]");
  EXPECT_EQ(run("$.meta"), R"({"receive-orders":{"offset":99,"topic":"orders"}})");
  context.names = {{"score", 1}};
  EXPECT_EQ(
    run("$"),
    R"({"score":{"loyaltyScore":42},"meta":{"receive-orders":{"offset":99,"topic":"orders"}}})");
}

TEST_F(CompilerTest, WantsOneValueUnlessAllAreAskedFor) {
  EXPECT_EQ(run("$.receive-orders.lines[?@.price == 30].sku"), R"("c")");
  EXPECT_EQ(run("$.receive-orders.lines[?@.price == 31].sku"), "null");
  EXPECT_EQ(run("$.receive-orders.lines[*].sku"),
            "error: expression: '$.receive-orders.lines[*].sku' selects 3 values where one is "
            "wanted; {path: …, all: "
            "true} takes all of them");
}

TEST_F(CompilerTest, ObeysWhatAMappingSaysAboutMissing) {
  const auto path = [](std::string_view text) {
    return std::pair<std::string, sdk::ConfigNode>{"path", scalar(text)};
  };
  EXPECT_EQ(run(mapping({path("$.score.x"), {"default", scalar("0", false)}})), "0");
  EXPECT_EQ(run(mapping({path("$.score.x"), {"default", scalar("$.receive-orders.id")}})), "7");
  EXPECT_EQ(run(mapping({path("$.receive-orders.nothing"), {"default", scalar("0", false)}})),
            "null");
  EXPECT_EQ(run(mapping({path("$.score.x"), {"required", scalar("true", false)}})),
            "error: expression: the record has no '$.score.x', which is required");
  EXPECT_EQ(run(mapping({path("$.score.x"), {"all", scalar("true", false)}})), "[]");
  EXPECT_EQ(run(mapping({path("$.score.x"), {"required", scalar("perhaps")}})),
            "<text>: error: 'required' must be true or false, not 'perhaps'");
  EXPECT_EQ(run(mapping({path("$.score.x"), {"defualt", scalar("0")}})),
            "<text>: error: a path has no option 'defualt'\n  hint: did you mean 'default'?");
  EXPECT_EQ(run(mapping({path("$.score.loyaltyScore"), {"size", scalar("1", false)}})),
            R"({"path":42,"size":1})");
}

TEST_F(CompilerTest, TakesLiteralsByTheCoreSchema) {
  EXPECT_EQ(run(scalar("12", false)), "12");
  EXPECT_EQ(run(scalar("12")), R"("12")");
  EXPECT_EQ(run(scalar("1.10", false)), "1.10");
  EXPECT_EQ(run(scalar("true", false)), "true");
  EXPECT_EQ(run(sdk::ConfigNode{}), "null");
  EXPECT_EQ(run("Total (net)"), "\"Total (net)\"");
  EXPECT_EQ(run("a(b) and c(d)"), "\"a(b) and c(d)\"");
  EXPECT_EQ(run(mapping({{"literal", scalar("$5")}})), R"("$5")");
  EXPECT_EQ(run("$5"), "<text>: error: '$5' begins with '$' like a path, but is none\n  hint: "
                       "{literal: \"$5\"} is the text itself");
}

TEST_F(CompilerTest, BuildsListsAndMappingsMemberByMember) {
  EXPECT_EQ(run(mapping(
              {{"customer", scalar("$.receive-orders.id")},
               {"tags", list({scalar("x"), scalar("$.score.loyaltyScore"), sdk::ConfigNode{}})}})),
            R"({"customer":7,"tags":["x",42,null]})");
  const auto constant = compile(mapping({{"a", list({scalar("1", false)})}}));
  ASSERT_TRUE(constant && constant->constant());
  EXPECT_EQ(sdk::to_json(*constant->constant()), R"({"a":[1]})");
}

TEST_F(CompilerTest, ReportsEveryMistakeOfAMapping) {
  compile(mapping({{"a", scalar("$.nobody")}, {"b", scalar("lowr('x')")}}));
  EXPECT_EQ(diagnostics.error_count(), 2U);
}

TEST_F(CompilerTest, SaysWhereAPathIsWrong) {
  EXPECT_EQ(
    run("$.score["),
    "<text>: error: invalid path '$.score[': column 9: expected a quoted name, '*', an index, "
    "a slice or '?', found the end");
  EXPECT_EQ(run("$.score and more"), "<text>: error: invalid path '$.score and more': column 8: "
                                     "expected '.', '[' or the end, found ' '");
}

TEST_F(CompilerTest, NeverShowsTheTextOfASecret) {
  auto node = scalar("$.score[hunter2");
  node.secret = true;
  const auto text = run(node);
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_NE(text.find("column 9"), std::string::npos) << text;
  auto good = scalar("hunter2");
  good.secret = true;
  EXPECT_EQ(compile(good)->text(), "<secret>");
  EXPECT_EQ(compile(mapping({{"a", good}}))->text(), "{a: <secret>}");
}

TEST_F(CompilerTest, NeverReadsWhatCameFromTheEnvironmentAsAnExpression) {
  auto node = scalar("$.score.loyaltyScore");
  node.secret = node.is_text = true;
  node.literal_dollars = {0};
  EXPECT_EQ(run(node), R"("$.score.loyaltyScore")");
  node.text = "upper('x')";
  node.literal_dollars.clear();
  EXPECT_EQ(run(node), "\"upper('x')\"");
}

TEST_F(CompilerTest, MasksWhatEnvGives) {
  environment["TOKEN"] = "hunter2";
  const auto token = compile(scalar("concat('Bearer ', env('TOKEN'))"));
  ASSERT_TRUE(token);
  EXPECT_EQ(run(token), R"("Bearer hunter2")");
  EXPECT_EQ(token->text(), "<secret>");
  EXPECT_EQ(run("env('NOPE')"), "<text>: error: the environment has no variable 'NOPE'");
  EXPECT_NE(run("env($.score.loyaltyScore)").find("env() takes a quoted name"), std::string::npos);
}

TEST_F(CompilerTest, KnowsWhichSlotsAnExpressionReads) {
  EXPECT_EQ(slots_read(*compile(scalar("concat($.score.a, $.meta.receive-orders.topic)"))),
            (std::set<sdk::Slot>{1, 5}));
  EXPECT_EQ(slots_read(*compile(scalar("$.score[?@ > $.receive-orders.id]"))),
            (std::set<sdk::Slot>{0, 1}));
  EXPECT_EQ(slots_read(*compile(scalar("$..x"))), (std::set<sdk::Slot>{0, 1, 5}));
  EXPECT_TRUE(slots_read(*compile(scalar("plain"))).empty());
  const auto condition = Compiler{context}.compile_condition(scalar("$.score.x == 1"), diagnostics);
  EXPECT_EQ(slots_read(*condition), (std::set<sdk::Slot>{1}));
}

TEST_F(CompilerTest, LetsAnAliasHideAStep) {
  context.names.push_back({"score", 3});
  record.set(3, json(R"({"loyaltyScore": "inner"})"));
  EXPECT_EQ(run("$.score.loyaltyScore"), R"("inner")");
  EXPECT_EQ(run(mapping({{"path", scalar("$..loyaltyScore")}, {"all", scalar("true", false)}})),
            R"(["inner"])");
}

class ResponseTest : public ExpressionTest {
protected:
  ResponseTest() {
    context.result_root = true;
    result = json(
      R"({"rows": [{"loyaltyscore": 42, "data": {"inner": 1}, "AB": 1, "ab": 2}], "rowCount": 1})");
  }
};

TEST_F(ResponseTest, ReadsTheResultOfTheStep) {
  EXPECT_EQ(run("$.rows[0].loyaltyscore"), "42");
  EXPECT_EQ(run("$.rowCount"), "1");
  EXPECT_EQ(run("$"), sdk::to_json(result));
  EXPECT_EQ(run("$.rows[?@.ab == 2].loyaltyscore"), "42");
}

TEST_F(ResponseTest, FindsAColumnOfAnotherCaseWhereExactlyOneMatches) {
  EXPECT_EQ(run("$.rows[0].loyaltyScore"), "42");
  EXPECT_EQ(run("$.rows[*].loyaltyScore"), "42");
  EXPECT_EQ(run("$.rows[0].aB"), "null");
  EXPECT_EQ(run("$.rows[0].ab"), "2");
}

TEST_F(ResponseTest, MindsTheCaseOfEverythingElse) {
  EXPECT_EQ(run("$.rowcount"), "null");
  EXPECT_EQ(run("$.rows[0].data.Inner"), "null");
}

}  // namespace
}  // namespace millrace::dsl::test
