#include "connectors/postgres/decode.hpp"
#include "connectors/postgres/encode.hpp"
#include "connectors/sdk/json.hpp"

#include <gtest/gtest.h>

namespace millrace::postgres {
namespace {

using sdk::Value;

std::string decoded(std::string_view text, Oid type) {
  return sdk::to_json(decode_text(text, type));
}

std::string encoded(std::string_view json, Oid type) {
  std::string out;
  append_text(out, *sdk::parse_json(json), type);
  return out;
}

TEST(DecodeTest, GivesEachTypeItsJson) {
  EXPECT_EQ(decoded("t", 16), "true");
  EXPECT_EQ(decoded("9007199254740993", 20), "9007199254740993");
  EXPECT_EQ(decoded("-9223372036854775808", 20), "-9223372036854775808");
  EXPECT_EQ(decoded("0.1", 701), "0.1");
  EXPECT_EQ(decoded("NaN", 701), R"("NaN")");
  EXPECT_EQ(decoded("-Infinity", 700), R"("-Infinity")");
  EXPECT_EQ(decoded("1.10", 1700), "1.10");
  EXPECT_EQ(decoded("123456789012345678901234567890.123456789", 1700),
            "123456789012345678901234567890.123456789");
  EXPECT_EQ(decoded("NaN", 1700), R"("NaN")");
  EXPECT_EQ(decoded(R"({"a": [1, null]})", 3802), R"({"a":[1,null]})");
  EXPECT_EQ(decoded("\\xdeadbeef", 17), R"("\\xdeadbeef")");
  EXPECT_EQ(decoded("P1DT2H", 1186), R"("P1DT2H")");
  EXPECT_EQ(decoded("", 2278), "null");
  EXPECT_EQ(decoded("any text", 99999), R"("any text")");
}

TEST(DecodeTest, WritesTimesByIso8601) {
  EXPECT_EQ(decoded("2026-01-02 01:04:05+00", 1184), R"("2026-01-02T01:04:05+00:00")");
  EXPECT_EQ(decoded("2026-01-02 01:04:05.123456-03:30", 1184),
            R"("2026-01-02T01:04:05.123456-03:30")");
  EXPECT_EQ(decoded("2026-11-21 09:47:47", 1114), R"("2026-11-21T09:47:47")");
  EXPECT_EQ(decoded("0044-03-15 00:00:00+00 BC", 1184), R"("0044-03-15T00:00:00+00:00 BC")");
  EXPECT_EQ(decoded("infinity", 1184), R"("infinity")");
}

TEST(DecodeTest, ReadsArrays) {
  EXPECT_EQ(decoded("{}", 1007), "[]");
  EXPECT_EQ(decoded("{1,NULL,3}", 1007), "[1,null,3]");
  EXPECT_EQ(decoded("{{1,2},{3,4}}", 1007), "[[1,2],[3,4]]");
  EXPECT_EQ(decoded("[0:1]={7,8}", 1007), "[7,8]");
  EXPECT_EQ(decoded(R"~({"a,b","NULL",NULL,"say \"x\"","back\\slash"})~", 1009),
            R"~(["a,b","NULL",null,"say \"x\"","back\\slash"])~");
  EXPECT_EQ(decoded("{(1,1),(0,0);(2,2),(0,0)}", 1020), R"~(["(1,1),(0,0)","(2,2),(0,0)"])~");
  EXPECT_EQ(decoded(R"({"{\"a\": 1}"})", 3807), R"([{"a":1}])");
  EXPECT_EQ(decoded("{1,2", 1007), R"("{1,2")") << "what is no array stays text";
}

TEST(EncodeTest, WritesValuesByTheTypeThatIsAskedFor) {
  EXPECT_EQ(encoded("true", 0), "true");
  EXPECT_EQ(encoded("12.0", 23), "12");
  EXPECT_EQ(encoded("12.50", 1700), "12.50");
  EXPECT_EQ(encoded("0.1", 0), "0.1");
  EXPECT_EQ(encoded("12345678901234567890.5", 0), "12345678901234567890.5");
  EXPECT_EQ(encoded(R"("abc")", 25), "abc");
  EXPECT_EQ(encoded(R"("abc")", 3802), R"("abc")");
  EXPECT_EQ(encoded("[1,null]", 3802), "[1,null]");
  EXPECT_EQ(encoded("[1,null,3]", 1007), R"({"1",NULL,"3"})");
  EXPECT_EQ(encoded(R"([["a","b"],["c\"d","e\\f"]])", 1009), R"({{"a","b"},{"c\"d","e\\f"}})");
  EXPECT_EQ(encoded(R"([{"a":1}])", 3807), R"({"{\"a\":1}"})");
  EXPECT_EQ(encoded(R"({"a":1})", 25), R"({"a":1})");
}

TEST(EncodeTest, RefusesWhatTextCannotHold) {
  EncodedParameters parameters;
  const auto done = parameters.encode({Value{1}, Value{std::string_view{"a\0b", 3}}}, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), "22021");
  EXPECT_NE(done.error().message().find("parameter 2"), std::string::npos);
}

TEST(EncodeTest, GivesNullNoText) {
  EncodedParameters parameters;
  ASSERT_TRUE(parameters.encode({Value{}, Value{1}}, {}));
  EXPECT_EQ(parameters.count(), 2);
  EXPECT_EQ(parameters.values()[0], nullptr);
  EXPECT_STREQ(parameters.values()[1], "1");
}

TEST(EncodeTest, NamesTheTypeWhereTheServerCannotTell) {
  EXPECT_EQ(type_for(Value{}), oids::text);
  EXPECT_EQ(type_for(Value{1}), oids::int4);
  EXPECT_EQ(type_for(Value{5'000'000'000}), oids::int8);
  EXPECT_EQ(type_for(Value{0.5}), oids::float8);
  EXPECT_EQ(type_for(Value::array()), oids::jsonb);
}

}  // namespace
}  // namespace millrace::postgres
