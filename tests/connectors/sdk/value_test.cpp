#include "connectors/sdk/json.hpp"
#include "connectors/sdk/value.hpp"

#include <gtest/gtest.h>

#include <string>

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

TEST(ValueTest, ChangesInPlaceWhatNobodyShares) {
  auto list = Value::array();
  list.reserve(10);
  const auto* first = list.items().data();
  for (int i = 0; i < 10; ++i)
    list.push_back(i);
  EXPECT_EQ(list.items().data(), first);
  const auto copy = list;
  EXPECT_EQ(copy.items().data(), first);
  list.mutable_item(0) = 7;
  EXPECT_NE(list.items().data(), first);
  EXPECT_EQ(copy.items()[0].as_integer(), 0);
}

TEST(ValueTest, KeepsASharedInsideWhenTheOutsideIsCopied) {
  auto inner = Value::array({1});
  auto outer = Value::object({{"inner", inner}});
  const auto copy = outer;
  inner.push_back(2);
  outer.mutable_member("inner").push_back(3);
  EXPECT_EQ(to_json(inner), "[1,2]");
  EXPECT_EQ(to_json(outer), R"({"inner":[1,3]})");
  EXPECT_EQ(to_json(copy), R"({"inner":[1]})");
}

TEST(ValueTest, AssignsAPartOfItselfToItself) {
  auto value = *parse_json(R"({"a":{"b":["a text of more than fourteen"]}})");
  value = *value.find("a");
  value = *value.find("b");
  value = value.items()[0];
  EXPECT_EQ(value.as_string(), "a text of more than fourteen");
  auto& same = value;
  value = same;
  EXPECT_EQ(value.as_string(), "a text of more than fourteen");
}

TEST(ValueTest, KeepsMembersInTheOrderOfInsertion) {
  auto object = Value::object({{"z", 1}, {"a", 2}, {"z", 3}});
  object.set("m", 4);
  object.set("a", 5);
  EXPECT_EQ(to_json(object), R"({"z":3,"a":5,"m":4})");
  EXPECT_TRUE(object.erase("a"));
  EXPECT_FALSE(object.erase("a"));
  object.set("a", 6);
  EXPECT_EQ(to_json(object), R"({"z":3,"m":4,"a":6})");
}

TEST(ValueTest, BuildsAnObjectOfAHundredThousandMembers) {
  auto object = Value::object();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100'000; ++i)
      object.set("name-" + std::to_string(i), i + round);
  }
  EXPECT_EQ(object.size(), 100'000U);
  auto copy = object;
  copy.set("name-77", "other");
  copy.set("new", 1);
  EXPECT_EQ(copy.size(), 100'001U);
  for (int i = 0; i < 100'000; ++i)
    ASSERT_EQ(object.find("name-" + std::to_string(i))->as_integer(), i + 1);
  EXPECT_EQ(object.find("new"), nullptr);
  EXPECT_EQ(copy.find("name-77")->as_string(), "other");
}

TEST(ValueTest, FindsMembersWhileAnObjectGrowsAndShrinks) {
  auto object = Value::object();
  const auto name = [](int i) {
    return std::string(static_cast<std::size_t>(i % 30), 'n') + std::to_string(i);
  };
  for (int i = 0; i < 100; ++i) {
    object.set(name(i), i);
    for (int j = 0; j <= i; ++j)
      ASSERT_EQ(object.find(name(j))->as_integer(), j);
    ASSERT_EQ(object.find(name(i + 1)), nullptr);
  }
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(object.erase(name(i)));
    ASSERT_EQ(object.find(name(i)), nullptr);
    for (int j = i + 1; j < 100; ++j)
      ASSERT_EQ(object.find(name(j))->as_integer(), j);
  }
  EXPECT_EQ(object.size(), 0U);
  EXPECT_EQ(to_json(object), "{}");
}

TEST(ValueTest, StandsAnyDepthThatCodeBuilds) {
  Value deep = 1;
  for (int i = 0; i < 1'000'000; ++i) {
    auto outer = i % 2 == 0 ? Value::array() : Value::object();
    if (i % 2 == 0)
      outer.push_back(std::move(deep));
    else
      outer.set("a", std::move(deep));
    deep = std::move(outer);
  }
  EXPECT_GT(to_json(deep).size(), 2'000'000U);
  EXPECT_GT(deep.heap_bytes(), 2'000'000U);
  auto other = deep;
  EXPECT_EQ(deep, other);
}

TEST(ValueTest, CountsTheBytesItKeeps) {
  EXPECT_EQ(Value{"short"}.heap_bytes(), 0U);
  EXPECT_GE(Value{std::string(1000, 'x')}.heap_bytes(), 1000U);
  EXPECT_GE(parse_json(R"({"a":[1,2,3]})")->heap_bytes(), 5 * sizeof(Value));
}

TEST(ValueTest, NamesItsKinds) {
  EXPECT_EQ(to_string(ValueKind::null), "null");
  EXPECT_EQ(to_string(ValueKind::decimal), "number");
  EXPECT_EQ(to_string(ValueKind::object), "object");
}

}  // namespace

}  // namespace millrace::sdk
