#include "connectors/sdk/json.hpp"

#include <gtest/gtest.h>

namespace millrace::sdk {

namespace {

TEST(JsonTest, WritesWhatItRead) {
  for (const std::string text :
       {"null", "true", "[]", "{}", R"({"a":[1,2.5,"x",null,{"b":[[]]}],"c":1.10})", "-0",
        "12345678901234567890", "1e400", R"("\"\\\n\u0001")", "\"\xC3\xA4\""}) {
    const auto value = parse_json(text);
    ASSERT_TRUE(value) << text << ": " << value.error().message();
    EXPECT_EQ(to_json(*value), text);
  }
}

TEST(JsonTest, SaysWhereAndWhyATextIsRefused) {
  const auto value = parse_json("{\n \"a\": tru }");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind(), ErrorKind::data);
  EXPECT_EQ(value.error().message(), "bad JSON at line 2, column 7 (offset 8): not a JSON value");
}

}  // namespace

}  // namespace millrace::sdk
