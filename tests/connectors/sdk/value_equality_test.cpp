#include "connectors/sdk/json.hpp"
#include "connectors/sdk/value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace millrace::sdk {

namespace {

Value read(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value{};
}

struct Pair {
  std::string_view a;
  std::string_view b;
};

TEST(ValueEqualityTest, HoldsForEqualJson) {
  for (const auto& [a, b] : {
         Pair{"null", "null"},
         Pair{"true", "true"},
         Pair{"1", "1.0"},
         Pair{"1", "1.00"},
         Pair{"1", "1e0"},
         Pair{"1", "10e-1"},
         Pair{"1", "0.1E1"},
         Pair{"100", "1e2"},
         Pair{"0", "-0"},
         Pair{"0", "0.0"},
         Pair{"0", "0e5"},
         Pair{"-0", "-0.000"},
         Pair{"1.1", "1.10"},
         Pair{"0.1", "1e-1"},
         Pair{"0.05", "5e-2"},
         Pair{"12345678901234567890", "1234567890123456789e1"},
         Pair{"9223372036854775807", "9223372036854775807.0"},
         Pair{"-9223372036854775808", "-9223372036854775808.000"},
         Pair{"1e400", "10e399"},
         Pair{"1e99999999999999999999", "1e99999999999999999999"},
         Pair{"\"a\"", "\"\\u0061\""},
         Pair{"\"a text of more than fourteen\"", "\"a text of more than \\u0066ourteen\""},
         Pair{"[]", "[ ]"},
         Pair{"[1,[2.0]]", "[1.0,[2]]"},
         Pair{R"({"a":1,"b":2})", R"({"b":2.0,"a":1})"},
         Pair{R"({"a":1,"a":2})", R"({"a":2})"},
         Pair{R"({"x":{"a":[],"b":{}}})", R"({"x":{"b":{},"a":[]}})"},
       }) {
    EXPECT_TRUE(read(a) == read(b)) << a << " and " << b;
    EXPECT_TRUE(read(b) == read(a)) << b << " and " << a;
  }
}

TEST(ValueEqualityTest, FailsForWhatDiffersAnywhere) {
  for (const auto& [a, b] : {
         Pair{"null", "false"},
         Pair{"true", "false"},
         Pair{"true", "1"},
         Pair{"1", "\"1\""},
         Pair{"1", "-1"},
         Pair{"1", "1.000000000000000000001"},
         Pair{"9007199254740993", "9007199254740992.0"},
         Pair{"0.1", "0.1000000000000000055511151231257827"},
         Pair{"12345678901234567890", "12345678901234567891"},
         Pair{"9223372036854775807", "9223372036854775808"},
         Pair{"1e400", "1e401"},
         Pair{"1e400", "-1e400"},
         Pair{"1e99999999999999999999", "1e99999999999999999998"},
         Pair{"1e99999999999999999999", "1e-99999999999999999999"},
         Pair{"\"a\"", "\"b\""},
         Pair{"\"a\"", "\"a\\u0000\""},
         Pair{"\"a text of more than fourteen\"", "\"a text of more than Fourteen\""},
         Pair{"[]", "{}"},
         Pair{"[]", "[null]"},
         Pair{"[1,2]", "[2,1]"},
         Pair{"[[1]]", "[[2]]"},
         Pair{R"({"a":null})", R"({"b":null})"},
         Pair{R"({"a":1})", R"({"a":1,"b":1})"},
         Pair{R"({"a":{"b":1}})", R"({"a":{"b":2}})"},
       }) {
    EXPECT_FALSE(read(a) == read(b)) << a << " and " << b;
    EXPECT_FALSE(read(b) == read(a)) << b << " and " << a;
  }
}

TEST(ValueEqualityTest, TakesARealForTheDigitsItIsWrittenWith) {
  EXPECT_EQ(Value{0.1}, read("0.10"));
  EXPECT_EQ(Value{1e23}, read("1e23"));
  EXPECT_EQ(Value{1.0}, Value{1});
  EXPECT_EQ(Value{9007199254740992.0}, Value{9007199254740992});
  EXPECT_NE(Value{9007199254740992.0}, Value{9007199254740993});
  EXPECT_EQ(Value{1152921504606846976.0}, Value{1152921504606846976});
  EXPECT_NE(Value{9223372036854775807}, Value{9223372036854775808.0});
  EXPECT_EQ(Value{-9223372036854775808.0}, Value{std::numeric_limits<std::int64_t>::min()});
  EXPECT_EQ(Value{0.0}, Value{-0.0});
}

TEST(ValueEqualityTest, KnowsNoNumberEqualToNotANumber) {
  const Value nan{std::nan("")};
  const Value infinity{std::numeric_limits<double>::infinity()};
  EXPECT_NE(nan, nan);
  EXPECT_NE(nan, Value{0});
  EXPECT_EQ(infinity, infinity);
  EXPECT_NE(infinity, read("1e400"));
  EXPECT_NE(infinity, Value{-std::numeric_limits<double>::infinity()});
}

TEST(ValueEqualityTest, ComparesLargeObjectsRegardlessOfOrder) {
  auto forwards = Value::object();
  auto backwards = Value::object();
  for (int i = 0; i < 1000; ++i) {
    forwards.set("member-" + std::to_string(i), i);
    backwards.set("member-" + std::to_string(999 - i), 999 - i);
  }
  EXPECT_EQ(forwards, backwards);
  backwards.set("member-500", "other");
  EXPECT_NE(forwards, backwards);
}

}  // namespace

}  // namespace millrace::sdk
