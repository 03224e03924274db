#include "tests/dsl/expression/fixture.hpp"

namespace millrace::dsl::test {
namespace {

class TemplateTest : public ExpressionTest {
protected:
  std::string text_for(sdk::TextUse use, const sdk::ConfigNode& node) {
    return run(Compiler{context}.compile_text_for(use, node, diagnostics));
  }

  std::string text(std::string_view text) { return text_for(sdk::TextUse::plain, scalar(text)); }
};

TEST_F(TemplateTest, PutsValuesIntoText) {
  EXPECT_EQ(text("id ${$.receive-orders.id} of ${ upper('de') }!"), "\"id 7 of DE!\"");
  EXPECT_EQ(text("${$.receive-orders.total}"), "\"120.50\"");
  EXPECT_EQ(text("[${$.receive-orders.nothing}${$.score.missing}]"), "\"[]\"");
  EXPECT_EQ(text("${$.score}"), R"("{\"loyaltyScore\":42}")");
  EXPECT_EQ(text("plain $.score $5 {}"), "\"plain $.score $5 {}\"");
  EXPECT_EQ(run("id ${$.receive-orders.id}"), "\"id 7\"");
}

TEST_F(TemplateTest, LeavesLiteralDollarsAlone) {
  auto node = scalar("a ${x} ${$.receive-orders.id}");
  node.literal_dollars = {2};
  EXPECT_EQ(run(node), "\"a ${x} 7\"");
  node = scalar("${x}");
  node.literal_dollars = {0};
  EXPECT_EQ(run(node), "\"${x}\"");
}

TEST_F(TemplateTest, SaysWhatIsWrong) {
  EXPECT_EQ(text("a ${NAME} b"), "<text>: error: invalid template 'a ${NAME} b': column 5: "
                                 "expected a path, a function, a quoted text "
                                 "or a number, found 'NAME'");
  EXPECT_EQ(text("a ${$.score b"),
            "<text>: error: invalid template 'a ${$.score b': column 13: expected '}', found 'b'");
  EXPECT_EQ(text("a ${$.scores}"),
            "<text>: error: no step 'scores' comes before this one\n  hint: did you mean 'score'?");
  EXPECT_EQ(text_for(sdk::TextUse::plain, list({})),
            "<text>: error: text is wanted here, not a list");
}

TEST_F(TemplateTest, PercentEncodesInUrls) {
  record.set(1, json(R"({"name": "a b/ü?&=~"})"));
  EXPECT_EQ(text_for(sdk::TextUse::url, scalar("http://host/x?name=${$.score.name}&y=/")),
            "\"http://host/x?name=a%20b%2F%C3%BC%3F%26%3D~&y=/\"");
}

TEST_F(TemplateTest, RefusesLineBreaksInHeaders) {
  record.set(1, json(R"({"token": "a\r\nX-Evil: 1", "good": "abc"})"));
  EXPECT_EQ(text_for(sdk::TextUse::header, scalar("Bearer ${$.score.good}")), "\"Bearer abc\"");
  EXPECT_EQ(text_for(sdk::TextUse::header, scalar("Bearer ${$.score.token}")),
            "error: data: '$.score.token' holds a line break, which a header cannot");
  EXPECT_EQ(text_for(sdk::TextUse::header, scalar("a\nb")),
            "<text>: error: a header has no line breaks");
}

TEST_F(TemplateTest, IsRefusedInSql) {
  EXPECT_EQ(text_for(sdk::TextUse::sql, scalar("SELECT ${$.score.x}")),
            "<text>: error: an SQL text takes no '${…}'\n  hint: write '?' and put the value into "
            "'parameters'");
  EXPECT_EQ(text_for(sdk::TextUse::sql, scalar("SELECT 1")), "\"SELECT 1\"");
}

TEST_F(TemplateTest, MasksTextsWithSecrets) {
  auto node = scalar("Bearer hunter2 ${$.receive-orders.id}");
  node.secret = true;
  const auto compiled = Compiler{context}.compile_text(node, diagnostics);
  ASSERT_TRUE(compiled);
  EXPECT_EQ(compiled->text(), "<secret>");
  EXPECT_EQ(run(compiled), "\"Bearer hunter2 7\"");
}

}  // namespace
}  // namespace millrace::dsl::test
