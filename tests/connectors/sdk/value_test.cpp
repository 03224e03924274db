#include "connectors/sdk/json.hpp"
#include "connectors/sdk/value.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace millrace::sdk {

namespace {

TEST(ValueTest, IsNullAtFirst) {
  EXPECT_TRUE(Value{}.is_null());
  EXPECT_TRUE(Value{nullptr}.is_null());
  EXPECT_EQ(Value{}.size(), 0U);
}

TEST(ValueTest, KeepsEachKind) {
  EXPECT_EQ(Value{true}.as_boolean(), true);
  EXPECT_EQ(Value{-7}.as_integer(), -7);
  EXPECT_EQ(Value{1.5}.as_double(), 1.5);
  EXPECT_EQ(Value{"text"}.as_string(), "text");
  EXPECT_EQ(Value::decimal("1.10").as_decimal(), "1.10");
  EXPECT_EQ(Value::array({1, "a"}).items()[1].as_string(), "a");
  EXPECT_EQ(Value::object({{"id", 7}}).find("id")->as_integer(), 7);
}

TEST(ValueTest, TurnsAnUnsignedBeyondInt64IntoADecimal) {
  EXPECT_EQ(Value{UINT64_MAX}.as_decimal(), "18446744073709551615");
  EXPECT_EQ(Value{std::uint64_t{7}}.as_integer(), 7);
}

TEST(ValueTest, IsNullAfterItWasMovedFrom) {
  Value from{"a text that is longer than fourteen bytes"};
  const Value to{std::move(from)};
  EXPECT_TRUE(from.is_null());  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_TRUE(to.is_string());
}

TEST(ValueTest, KeepsTextsOfEveryLength) {
  std::string text;
  for (std::size_t length = 0; length < 100; ++length) {
    const Value value{text};
    EXPECT_EQ(value.as_string(), text);
    EXPECT_EQ(value, Value{text});
    EXPECT_NE(value, Value{text + "x"});
    auto object = Value::object();
    object.set(text, static_cast<std::int64_t>(length));
    ASSERT_NE(object.find(text), nullptr);
    EXPECT_EQ(object.find(text + "x"), nullptr);
    text.push_back(static_cast<char>('\0' + length % 128));
  }
}

TEST(ValueTest, LeavesTheOriginalAsItWasWhenACopyChanges) {
  auto original = Value::object({{"a", Value::array({1, 2})}, {"b", "x"}});
  const auto before = to_json(original);
  auto copy = original;
  copy.set("b", "changed");
  copy.set("c", true);
  copy.mutable_member("a").push_back(3);
  copy.mutable_member("a").mutable_item(0) = 9;
  EXPECT_TRUE(copy.erase("b"));
  EXPECT_EQ(to_json(original), before);
  EXPECT_EQ(to_json(copy), R"({"a":[9,2,3],"c":true})");
}

TEST(ValueTest, TakesItselfAsAnItem) {
  auto list = Value::array({1});
  list.push_back(list);
  auto object = Value::object({{"a", 1}});
  object.set("self", object);
  EXPECT_EQ(to_json(list), "[1,[1]]");
  EXPECT_EQ(to_json(object), R"({"a":1,"self":{"a":1}})");
}

}  // namespace

}  // namespace millrace::sdk
