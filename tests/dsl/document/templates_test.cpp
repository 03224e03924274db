// Connectors that send texts somewhere say where they go, and the pipeline's compiler makes the
// values fit.
#include "connectors/sdk/json.hpp"
#include "dsl/document/load_support.hpp"

#include <gmock/gmock.h>

namespace millrace::dsl {
namespace {

using testing::HasSubstr;

// What the request below was given; a test makes one program at a time.
struct Given {
  sdk::ExpressionPtr url;
  sdk::ExpressionPtr header;
} given;

sdk::StepFactory read_request(sdk::ConfigReader& in) {
  given = {};
  in.text_template("url", given.url, "Where to", true, sdk::TextUse::url);
  in.text_template("header", given.header, "What it says", false, sdk::TextUse::header);
  return test::fakes::step_of(in);
}

constexpr std::array<sdk::Operation, 1> operations{
  {{.name = "", .doc = "Asks", .step = read_request, .effects = sdk::Effects::external}}};
constexpr sdk::Connector request{.name = "request", .doc = "Asks", .operations = operations};
constexpr std::array<const sdk::Connector*, 2> catalogue{&request, &test::fakes::standard_in};

std::string load_request(const std::string& options) {
  test::FakeEnvironment world;
  world.values = {{"TOKEN", "hunter2"}, {"LINES", "a\r\nb"}};
  world.files["a.yaml"] = "name: a\nsteps:\n  - {name: in, type: stdin}\n  - {name: ask, type: "
                          "request, "
                          + options + "}\n";
  return load({.files = {"a.yaml"}, .connectors = catalogue, .environment = &world})
    .diagnostics.to_string();
}

sdk::Result<sdk::Value> over(const sdk::ExpressionPtr& expression, std::string_view json) {
  sdk::Record record;
  record.set(0, *sdk::parse_json(json));
  return expression->evaluate({.record = &record});
}

TEST(TemplatesTest, PercentEncodeWhatGoesIntoAUrl) {
  ASSERT_EQ(load_request("url: \"http://h/x?name=${$.in.name}\""), "");
  EXPECT_EQ(*over(given.url, R"({"name": "a b/&c"})"), sdk::Value{"http://h/x?name=a%20b%2F%26c"});
}

TEST(TemplatesTest, RefuseLineBreaksInAHeader) {
  ASSERT_EQ(load_request("url: u, header: \"Bearer ${$.in.token}\""), "");
  EXPECT_EQ(*over(given.header, R"({"token": "x"})"), sdk::Value{"Bearer x"});
  EXPECT_EQ(over(given.header, R"({"token": "x\r\nEvil: 1"})").error().kind(),
            sdk::ErrorKind::data);
  EXPECT_THAT(load_request("url: u, header: \"${ENV:LINES}\""),
              HasSubstr("a header has no line breaks"));
}

TEST(TemplatesTest, KnowWhetherTheyHoldASecret) {
  ASSERT_EQ(load_request("url: \"http://h/${$.in.a}\", header: \"Bearer ${ENV:TOKEN}\""), "");
  EXPECT_FALSE(given.url->is_secret());
  EXPECT_TRUE(given.header->is_secret());
  EXPECT_EQ(given.header->text(), "<secret>");
}

}  // namespace
}  // namespace millrace::dsl
