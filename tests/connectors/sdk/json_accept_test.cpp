// What is a JSON document and what is not (RFC 8259), with the places and reasons of refusals.
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/json_diagnosis.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <random>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace millrace::sdk {

namespace {

using namespace std::string_literals;

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonAcceptTest, AcceptsEveryDocument) {
  for (const auto& text : std::vector<std::string>{
         "null",
         "true",
         "false",
         "0",
         "-0",
         "1",
         "-1",
         "1.5",
         "1e5",
         "1E+5",
         "1e-5",
         "1.0",
         "-0.0e-0",
         "123456789012345678901234567890",
         "1e400",
         "0.1000000000000000055511151231257827",
         "\"\"",
         "\"a\"",
         "\" \"",
         "[]",
         "{}",
         "[ ]",
         "{ }",
         " [] ",
         "\t[\n]\r\n",
         "[1]",
         "[1,2]",
         "[ 1 , 2 ]",
         "[[],{}]",
         "[null,true,false,\"\",0]",
         R"({"":0})",
         R"({"a":1})",
         R"({"a":1,"b":2})",
         R"({"a":1,"a":2})",
         R"({ "a" : 1 , "b" : [ ] })",
         R"({"a":{"b":{"c":[1,[2,[3]]]}}})",
         R"("\"\\\/\b\f\n\r\t")",
         R"("\u0000")",
         R"("\u0041\u00e4\u20AC")",
         R"("\ud83d\ude00")",
         R"("\uD83D\uDE00")",
         R"("\uDBFF\uDFFF")",
         R"("\uFFFF")",
         R"("\uFEFF")",
         "\"\x7F\"",
         "\"\xC2\x80\"",
         "\"\xDF\xBF\"",
         "\"\xE0\xA0\x80\"",
         "\"\xED\x9F\xBF\"",
         "\"\xEE\x80\x80\"",
         "\"\xEF\xBF\xBF\"",
         "\"\xF0\x90\x80\x80\"",
         "\"\xF4\x8F\xBF\xBF\"",
         "\"\xEF\xBB\xBF\"",
         "\"//\"",
         "\"/*x*/\"",
         "\"[,]\"",
         "\"{:}\"",
         R"("\\")",
         R"("\\\"")",
         R"(["\\","a"])",
         R"({"\u0061":1})",
         "\"" + std::string(100'000, 'x') + "\"",
         std::string(5000, ' ') + "1",
         nested(512),
         "[" + std::string(1000, ' ') + "1]",
       }) {
    const auto value = parse_json(text);
    EXPECT_TRUE(value) << text.substr(0, 60) << ": " << value.error().message();
    EXPECT_FALSE(diagnose_json(text)) << text.substr(0, 60);
  }
}

TEST(JsonAcceptTest, RefusesWithPlaceAndReason) {
  struct Case {
    std::string text;
    std::string_view message;  // behind "bad JSON at "
  };

  for (const auto& [text, message] : std::vector<Case>{
         {"", "line 1, column 1 (offset 0): empty, a JSON value is missing"},
         {" \n ", "line 2, column 2 (offset 3): empty, a JSON value is missing"},
         {"\xEF\xBB\xBF{}",
          "line 1, column 1 (offset 0): a byte order mark, which JSON does not have"},
         {"\xEF\xBB\xBF",
          "line 1, column 1 (offset 0): a byte order mark, which JSON does not have"},
         {"{} {}", "line 1, column 4 (offset 3): text after the end of the document"},
         {"1 2", "line 1, column 3 (offset 2): text after the end of the document"},
         {"[]]", "line 1, column 3 (offset 2): text after the end of the document"},
         {"{}\n\nx", "line 3, column 1 (offset 4): text after the end of the document"},
         {"\"a\"b", "line 1, column 4 (offset 3): text after the end of the document"},
         {"\"a\"\"b\"", "line 1, column 4 (offset 3): text after the end of the document"},
         {"null\0"s, "line 1, column 5 (offset 4): not a JSON value"},
         {"\0"s, "line 1, column 1 (offset 0): not a JSON value"},
         {"[1]\0"s, "line 1, column 4 (offset 3): text after the end of the document"},
         {"[\0]"s, "line 1, column 2 (offset 1): not a JSON value"},
         {"\"a\0b\""s, "line 1, column 3 (offset 2): a NUL byte in a string"},
         {"\"a\nb\"",
          "line 1, column 3 (offset 2): a control character in a string, which must be escaped"},
         {"[\"\x1F\"]",
          "line 1, column 3 (offset 2): a control character in a string, which must be escaped"},
         {"[", "line 1, column 2 (offset 1): ends where a value is missing"},
         {"[1", "line 1, column 3 (offset 2): ends inside an array"},
         {"[1,", "line 1, column 4 (offset 3): ends where a value is missing"},
         {"[1,]", "line 1, column 4 (offset 3): not a JSON value"},
         {"[,1]", "line 1, column 2 (offset 1): not a JSON value"},
         {"[1 2]", "line 1, column 4 (offset 3): a comma or ']' is missing"},
         {"[1}", "line 1, column 3 (offset 2): a comma or ']' is missing"},
         {"[1:2]", "line 1, column 3 (offset 2): a comma or ']' is missing"},
         {"]", "line 1, column 1 (offset 0): not a JSON value"},
         {"}", "line 1, column 1 (offset 0): not a JSON value"},
         {":", "line 1, column 1 (offset 0): not a JSON value"},
         {",", "line 1, column 1 (offset 0): not a JSON value"},
         {"[[1]", "line 1, column 5 (offset 4): ends inside an array"},
         {"{", "line 1, column 2 (offset 1): ends inside an object"},
         {"{\"a\"", "line 1, column 5 (offset 4): a colon is missing after a member's name"},
         {"{\"a\" 1}", "line 1, column 6 (offset 5): a colon is missing after a member's name"},
         {"{\"a\",1}", "line 1, column 5 (offset 4): a colon is missing after a member's name"},
         {"{\"a\":", "line 1, column 6 (offset 5): ends where a value is missing"},
         {"{\"a\":}", "line 1, column 6 (offset 5): not a JSON value"},
         {"{\"a\":1", "line 1, column 7 (offset 6): ends inside an object"},
         {"{\"a\":1,", "line 1, column 8 (offset 7): ends inside an object"},
         {"{\"a\":1,}", "line 1, column 8 (offset 7): a member's name in double quotes is missing"},
         {"{\"a\":1]", "line 1, column 7 (offset 6): a comma or '}' is missing"},
         {"{\"a\":1 \"b\":2}", "line 1, column 8 (offset 7): a comma or '}' is missing"},
         {"{a:1}", "line 1, column 2 (offset 1): a member's name in double quotes is missing"},
         {"{'a':1}", "line 1, column 2 (offset 1): a member's name in double quotes is missing"},
         {"{1:1}", "line 1, column 2 (offset 1): a member's name in double quotes is missing"},
         {"{,}", "line 1, column 2 (offset 1): a member's name in double quotes is missing"},
         {"{\"a\"::1}", "line 1, column 6 (offset 5): not a JSON value"},
         {"tru", "line 1, column 1 (offset 0): not a JSON value"},
         {"truex", "line 1, column 5 (offset 4): not a JSON value"},
         {"True", "line 1, column 1 (offset 0): not a JSON value"},
         {"nul", "line 1, column 1 (offset 0): not a JSON value"},
         {"nulll", "line 1, column 5 (offset 4): not a JSON value"},
         {"[falsey]", "line 1, column 7 (offset 6): not a JSON value"},
         {"true\"\"", "line 1, column 5 (offset 4): not a JSON value"},
         {"undefined", "line 1, column 1 (offset 0): not a JSON value"},
         {"NaN", "line 1, column 1 (offset 0): not a JSON value"},
         {"Infinity", "line 1, column 1 (offset 0): not a JSON value"},
         {"-Infinity", "line 1, column 1 (offset 0): not a JSON number"},
         {"-", "line 1, column 1 (offset 0): not a JSON number"},
         {"+1", "line 1, column 1 (offset 0): not a JSON value"},
         {"01", "line 1, column 1 (offset 0): not a JSON number"},
         {"-01", "line 1, column 1 (offset 0): not a JSON number"},
         {"1.", "line 1, column 1 (offset 0): not a JSON number"},
         {".5", "line 1, column 1 (offset 0): not a JSON value"},
         {"1.e5", "line 1, column 1 (offset 0): not a JSON number"},
         {"1e", "line 1, column 1 (offset 0): not a JSON number"},
         {"1e+", "line 1, column 1 (offset 0): not a JSON number"},
         {"1.5.5", "line 1, column 1 (offset 0): not a JSON number"},
         {"0x10", "line 1, column 2 (offset 1): not a JSON number"},
         {"[1a]", "line 1, column 3 (offset 2): not a JSON number"},
         {"[1\"a\"]", "line 1, column 3 (offset 2): not a JSON number"},
         {"1_000", "line 1, column 2 (offset 1): not a JSON number"},
         {"\"", "line 1, column 2 (offset 1): ends inside a string"},
         {"\"abc", "line 1, column 5 (offset 4): ends inside a string"},
         {"[\"abc]", "line 1, column 7 (offset 6): ends inside a string"},
         {"\"\\\"", "line 1, column 4 (offset 3): ends inside a string"},
         {"\"\\", "line 1, column 2 (offset 1): ends inside a string"},
         {"'a'", "line 1, column 1 (offset 0): not a JSON value"},
         {R"("\x41")", "line 1, column 2 (offset 1): not a JSON escape"},
         {R"("\a")", "line 1, column 2 (offset 1): not a JSON escape"},
         {R"("\'")", "line 1, column 2 (offset 1): not a JSON escape"},
         {R"("\U0041")", "line 1, column 2 (offset 1): not a JSON escape"},
         {"\"\\\n\"", "line 1, column 2 (offset 1): not a JSON escape"},
         {R"("\u")", "line 1, column 2 (offset 1): '\\u' needs four hex digits"},
         {R"("\u00e")", "line 1, column 2 (offset 1): '\\u' needs four hex digits"},
         {R"("\u00eg")", "line 1, column 2 (offset 1): '\\u' needs four hex digits"},
         {R"("\u-123")", "line 1, column 2 (offset 1): '\\u' needs four hex digits"},
         {R"("a\ud800")", "line 1, column 3 (offset 2): a lone surrogate"},
         {R"("a\udc00")", "line 1, column 3 (offset 2): a lone surrogate"},
         {R"("\ud800\ud800")", "line 1, column 2 (offset 1): a lone surrogate"},
         {R"("\ud800\u0041")", "line 1, column 2 (offset 1): a lone surrogate"},
         {R"("\ud800\n")", "line 1, column 2 (offset 1): a lone surrogate"},
         {R"("\ud800 \udc00")", "line 1, column 2 (offset 1): a lone surrogate"},
         {R"("\udc00\ud800")", "line 1, column 2 (offset 1): a lone surrogate"},
         {R"("\ud800\udc0")", "line 1, column 2 (offset 1): a lone surrogate"},
         {"\"\x80\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xFF\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xC3\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xC0\xAF\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xE0\x80\x80\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xED\xA0\x80\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xE2\x82\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xF0\x80\x80\x80\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xF4\x90\x80\x80\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"\"\xF8\x88\x80\x80\x80\"", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"[\xC3\xA4]", "line 1, column 2 (offset 1): not a JSON value"},
         {"[\xFF]", "line 1, column 2 (offset 1): invalid UTF-8"},
         {"[1]\xC2\xA0", "line 1, column 4 (offset 3): text after the end of the document"},
         {"// x\n1", "line 1, column 1 (offset 0): not a JSON value"},
         {"[1/**/]", "line 1, column 3 (offset 2): not a JSON number"},
         {"[\f1]", "line 1, column 2 (offset 1): not a JSON value"},
         {"\v1", "line 1, column 1 (offset 0): not a JSON value"},
         {nested(513), "line 1, column 513 (offset 512): nested too deeply (more than 512 levels)"},
         {std::string(100'000, '['),
          "line 1, column 513 (offset 512): nested too deeply (more than 512 levels)"},
       }) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value) << text.substr(0, 60);
    EXPECT_EQ(value.error().kind(), ErrorKind::data) << text.substr(0, 60);
    EXPECT_EQ(value.error().message(), "bad JSON at " + std::string{message}) << text.substr(0, 60);
  }
}

/// Changes, drops, doubles or adds bytes that mean something to JSON.
std::string mutated(std::string text, std::mt19937_64& random) {
  static const auto bytes = "{}[]:,\"\\ \n\t019.-+eEtfnul\xC3\xA4\x80\xED\xF0\0\x1F/x"s;
  for (auto changes = 1 + random() % 3; changes > 0 && !text.empty(); --changes) {
    const auto at = random() % text.size();
    const auto byte = bytes[random() % bytes.size()];
    switch (random() % 5) {
    case 0:
      text[at] = byte;
      break;
    case 1:
      text.erase(at, 1 + random() % 3);
      break;
    case 2:
      text.insert(at, 1, byte);
      break;
    case 3:
      text.insert(at, text.substr(random() % text.size(), random() % 8));
      break;
    default:
      text.resize(at);
      break;
    }
  }
  return text;
}

TEST(JsonAcceptTest, AgreesWithItsDiagnosisAndWithNlohmannOnMutatedTexts) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const std::vector<std::string> seeds{
    R"({"id": 7, "name": "Zürich \u00e4\n", "tags": [true, false, null], "total": -12.50})",
    R"([[], {}, "", "\"\\", 0, -1.5, "a text that is longer than fourteen bytes \ud83d\ude00"])",
    R"({"a":{"b":{"c":[1,[2,[3,{"d":"e"}]]]}},"f":"g"})",
    R"("text")",
    "-0",
    " [ 1 , 2 ] \n"};
  int accepted = 0;
  JsonReader reader;
  for (int i = 0; i < 100'000; ++i) {
    const auto text = mutated(seeds[random() % seeds.size()], random);
    const bool good = reader.parse(text).has_value();
    accepted += good ? 1 : 0;
    ASSERT_EQ(good, !diagnose_json(text).has_value()) << text;
    // nlohmann ends at a NUL and knows no number beyond a double.
    if (text.find_first_of("eE\0"s) == std::string::npos) {
      ASSERT_EQ(good, nlohmann::json::accept(text)) << text;
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(JsonAcceptTest, ReadsNoByteBehindTheText) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  auto* const memory = static_cast<char*>(
    mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(mprotect(memory + page, page, PROT_NONE), 0);
  const std::string whole =
    R"({"a":"b","c":[1,2.50,"\u00e4",true],"long":"a text of more than fourteen"})";
  JsonReader reader;
  for (const std::string& text : {whole, R"("abc")"s, "12345"s, "[1.5]"s, "true"s, R"(["\n"])"s}) {
    for (std::size_t size = 1; size <= text.size(); ++size) {
      char* const at = memory + page - size;
      std::memcpy(at, text.data(), size);
      const bool good = reader.parse({at, size}).has_value();
      EXPECT_EQ(good, !diagnose_json(text.substr(0, size)).has_value()) << text.substr(0, size);
    }
  }
  munmap(memory, 2 * page);
}

TEST(JsonAcceptTest, WorksOnAfterARefusedOrAHugeText) {
  JsonReader reader;
  EXPECT_FALSE(reader.parse(R"({"a":["a text of more than fourteen",{"b":[1,)"));
  EXPECT_TRUE(reader.parse("\"" + std::string(9'000'000, 'x') + "\""));
  EXPECT_TRUE(reader.parse("[1]"));
  JsonReader moved{std::move(reader)};
  EXPECT_TRUE(moved.parse("[2]"));
}

}  // namespace

}  // namespace millrace::sdk
