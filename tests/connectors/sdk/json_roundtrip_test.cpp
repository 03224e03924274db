// Values survive the way into JSON text and back, whatever they hold.
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/json_convert.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <thread>

namespace millrace::sdk {

namespace {

using namespace std::string_literals;

class RandomValues {
public:
  explicit RandomValues(std::uint64_t seed) : random_{seed} {}

  Value value(int depth = 0) {
    switch (random_() % (depth < 5 ? 9 : 6)) {
    case 0:
      return {};
    case 1:
      return {random_() % 2 == 0};
    case 2:
      return {static_cast<std::int64_t>(random_() >> random_() % 64)};
    case 3:
      return real();
    case 4:
      return Value::decimal(digits());
    case 5:
      return {text()};
    case 6: {
      auto array = Value::array();
      for (auto count = random_() % 6; count > 0; --count)
        array.push_back(value(depth + 1));
      return array;
    }
    default: {
      auto object = Value::object();
      for (auto count = random_() % (random_() % 10 == 0 ? 40 : 8); count > 0; --count)
        object.set(text(), value(depth + 1));
      return object;
    }
    }
  }

private:
  Value real() {
    const auto bits = std::bit_cast<double>(random_());
    return {std::isfinite(bits) ? bits : 0.5};
  }

  std::string digits() {
    auto result = (random_() % 2 ? "-" : "") + std::to_string(random_() >> random_() % 64);
    if (random_() % 2)
      result += "." + std::to_string(random_() >> random_() % 64) + (random_() % 2 ? "0" : "");
    if (random_() % 4 == 0)
      result += "e-" + std::to_string(random_() % 500);
    return result;
  }

  std::string text() {
    static const std::vector<std::string> pieces{
      "a",    "customer", "\"", "\\", "\n", "\x01", "\x1F",
      "\x7F", "ä",        "€",  "😀",  "/",  "\0"s,  "plain ascii text, "};
    std::string result;
    for (auto count = random_() % 8; count > 0; --count)
      result += pieces[random_() % pieces.size()];
    return result;
  }

  std::mt19937_64 random_;
};

TEST(JsonRoundTripTest, EveryValueReadsBackEqual) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomValues values{seed};
  for (int i = 0; i < 20'000; ++i) {
    const auto value = values.value();
    const auto text = to_json(value);
    const auto again = parse_json(text);
    ASSERT_TRUE(again) << text << ": " << again.error().message();
    ASSERT_EQ(*again, value) << text;
    ASSERT_EQ(to_json(*again), text);
    const auto pretty = parse_json(to_pretty_json(value));
    ASSERT_TRUE(pretty) << to_pretty_json(value);
    ASSERT_EQ(*pretty, value);
  }
}

TEST(JsonRoundTripTest, NlohmannReadsTheSameAndGivesItBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomValues values{seed};
  for (int i = 0; i < 5'000; ++i) {
    const auto value = values.value();
    const auto tree = to_nlohmann(value);
    ASSERT_EQ(to_nlohmann(from_nlohmann(tree)), tree);
    ASSERT_EQ(from_nlohmann(nlohmann::json::parse(tree.dump())), from_nlohmann(tree));
  }
}

TEST(JsonRoundTripTest, KeepsTheDigitsOfNumbers) {
  for (const std::string text :
       {"0", "-0", "-0.0", "1.0", "1.10", "1e5", "1E+05", "1e400", "-1e-400",
        "12345678901234567890", "0.1", "0.1000000000000000055511151231257827",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "0.000001",
        "0.0000001", "123456789012345.678901"})
    EXPECT_EQ(to_json(*parse_json(text)), text);
}

TEST(JsonRoundTripTest, ReadsAndWritesEveryEscape) {
  EXPECT_EQ(parse_json(R"("\"\\\/\b\f\n\r\t\u0041\u00E4\u20ac\ud83d\ude00\u0000")")->as_string(),
            "\"\\/\b\f\n\r\tAä€😀\0"s);
  for (int c = 0; c < 0x20; ++c) {
    const std::string raw{"before the byte ", 16};
    const Value value{raw + static_cast<char>(c) + " and after it"};
    const Value small{std::string(1, static_cast<char>(c))};
    EXPECT_EQ(*parse_json(to_json(value)), value);
    EXPECT_EQ(*parse_json(to_json(small)), small);
  }
  EXPECT_EQ(to_json(Value{"\"\\/\b\f\n\r\t\x01\x1F\x7F\0"s}), R"("\"\\/\b\f\n\r\t\u0001\u001f)"
                                                              "\x7F"
                                                              R"(\u0000")");
}

TEST(JsonRoundTripTest, FindsWhatNeedsAnEscapeAtEveryPlaceOfEveryLength) {
  for (const std::string_view special : {"\"", "\\", "\n", "ä", "😀", "\xFF", "\xE2\x82"}) {
    for (std::size_t length = 0; length < 70; ++length) {
      for (std::size_t at = 0; at <= length; ++at) {
        auto text = std::string(length, '~');
        text.insert(at, special);
        const auto json = to_json(Value{text});
        std::string expected;
        nlohmann::json tree = text;
        expected = tree.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        ASSERT_EQ(json, expected);
      }
    }
  }
}

TEST(JsonRoundTripTest, ReplacesWhatIsNotUtf8) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(to_json(Value{"a\xFFz"}), "\"a" + replacement + "z\"");
  EXPECT_EQ(to_json(Value{"\xED\xA0\x80"}), "\"" + replacement + replacement + replacement + "\"");
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 100, '\0');
    for (auto& byte : bytes)
      byte = static_cast<char>(random() % 3 == 0 ? random() : 'a' + random() % 26);
    auto object = Value::object();
    object.set(bytes, bytes);
    ASSERT_TRUE(parse_json(to_json(object))) << to_json(object);
  }
}

TEST(JsonRoundTripTest, WritesLongTextsInPieces) {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += i % 1000 == 0 ? "ä\"\n" : "plain ";
  EXPECT_EQ(parse_json(to_json(Value{text}))->as_string(), text);
  EXPECT_EQ(parse_json(to_json(Value::decimal(std::string(5000, '7'))))->as_decimal(),
            std::string(5000, '7'));
}

TEST(JsonRoundTripTest, NamesTheNumbersThatJsonLacks) {
  EXPECT_EQ(to_json(Value{std::nan("")}), "\"NaN\"");
  EXPECT_EQ(to_json(Value{std::numeric_limits<double>::infinity()}), "\"Infinity\"");
  EXPECT_EQ(to_json(Value{-std::numeric_limits<double>::infinity()}), "\"-Infinity\"");
}

TEST(JsonRoundTripTest, LetsTheLastOfMembersWithOneNameWin) {
  EXPECT_EQ(to_json(*parse_json(R"({"a":1,"b":2,"a":[3],"\u0061":4})")), R"({"a":4,"b":2})");
  const std::string name = "a name of more than fourteen bytes";
  EXPECT_EQ(to_json(*parse_json("{\"" + name + "\":1,\"" + name + "\":2}")),
            "{\"" + name + "\":2}");
}

TEST(JsonRoundTripTest, ReadsAHundredThousandMembersWithDoubles) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i)
    text += (i ? ",\"" : "\"") + std::to_string(i % 100'000)
            + "-with-a-longer-name\":" + std::to_string(i);
  const auto value = parse_json(text + "}");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->size(), 100'000U);
  for (int i = 0; i < 100'000; ++i)
    ASSERT_EQ(value->find(std::to_string(i) + "-with-a-longer-name")->as_integer(), 100'000 + i);
}

TEST(JsonRoundTripTest, IndentsForPeople) {
  EXPECT_EQ(to_pretty_json(*parse_json(R"({"a":[1,{"b":[]}],"c":{}})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
  EXPECT_EQ(to_pretty_json(Value{1}), "1");
}

TEST(JsonRoundTripTest, ServesThreadsThatShareAValue) {
  const auto value = *parse_json(R"({"a":[1,2,{"b":"a text of more than fourteen"}],"c":1.10})");
  const auto text = to_json(value);
  const auto work = [&value, &text] {
    for (int i = 0; i < 20'000; ++i) {
      auto copy = value;
      if (i % 2 == 0)
        copy.mutable_member("a").push_back(i);
      if (to_json(value) != text || copy.find("a")->size() != (i % 2 == 0 ? 4U : 3U))
        return false;
    }
    return true;
  };
  bool first = false;
  bool second = false;
  std::thread one{[&] { first = work(); }};
  std::thread two{[&] { second = work(); }};
  one.join();
  two.join();
  EXPECT_TRUE(first && second);
}

}  // namespace

}  // namespace millrace::sdk
