#include "connectors/sdk/hide_parameters.hpp"

#include <gtest/gtest.h>

namespace millrace::sdk {
namespace {

TEST(HideParametersTest, ShowsNoValueThatAMessageTellsAgain) {
  const auto shown = [](std::string_view message, const Parameters& parameters) {
    return hide_parameters(message, "SELECT $1::regclass FROM orders", parameters);
  };
  EXPECT_EQ(shown("relation \"secret\" does not exist", {Value{"secret"}}),
            "relation \"…\" does not exist");
  EXPECT_EQ(shown("syntax error in tsquery: \"my secret &\"", {Value{1}, Value{"my secret &"}}),
            "syntax error in tsquery: \"…\"");
  EXPECT_EQ(shown("syntax error at or near \"cret\" of jsonpath input", {Value{"$.se cret"}}),
            "syntax error at or near \"…\" of jsonpath input");
  EXPECT_EQ(shown("Relation »secret« existiert nicht", {Value{"secret"}}),
            "Relation »…« existiert nicht");
  EXPECT_EQ(shown("no such column: secret", {Value{"secret"}}), "no such column: …");
  EXPECT_EQ(shown("type \"a\" and type \"ab\"", {Value::array({Value{"ab"}, Value{"a"}})}),
            "type \"…\" and type \"…\"");
  EXPECT_EQ(shown("type \"x\" is none", {Value::object({{"k", "x"}})}), "type \"…\" is none");
}

TEST(HideParametersTest, LeavesWhatIsNoValue) {
  const auto shown = [](std::string_view message, const Parameters& parameters) {
    return hide_parameters(message, "SELECT a FROM orders WHERE b = $1", parameters);
  };
  EXPECT_EQ(shown("relation \"orders\" does not exist", {Value{"orders"}}),
            "relation \"orders\" does not exist");
  EXPECT_EQ(shown("relation \"audit\" does not exist", {Value{"x"}, Value{7}, Value{}}),
            "relation \"audit\" does not exist");
  EXPECT_EQ(shown("column does not exist", {Value{"e"}, Value{""}, Value{"not ex"}}),
            "column does not exist");
  EXPECT_EQ(shown("an open \" quote", {Value{" quote"}}), "an open \"…");
  EXPECT_EQ(shown("", {Value{"x"}}), "");
}

}  // namespace
}  // namespace millrace::sdk
