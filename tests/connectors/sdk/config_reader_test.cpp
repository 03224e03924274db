#include "connectors/sdk/config_reader.hpp"
#include "support/config_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace millrace::sdk {
namespace {

using std::chrono::milliseconds;
using test::mapping;
using test::quoted;
using test::scalar;
using test::secret;
using test::sequence;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

enum class Format : std::uint8_t { jsonl, csv };

struct Config {
  std::string path;
  bool tail = false;
  std::int64_t offset = 7;
  std::uint16_t port = 5432;
  double ratio = 0.5;
  Secret password;
  milliseconds wait{1500};
  ByteSize size{65536};
  Rate rate{10};
  std::vector<std::string> names{"a", "b"};
  Format format = Format::jsonl;
  std::optional<milliseconds> limit;
  std::int64_t inner = 1;
};

bool read(ConfigReader& in, Config& config) {
  in.required("path", config.path, "File to read");
  in.optional("tail", config.tail, "Whether to wait for more");
  in.optional("offset", config.offset, "Where to begin");
  in.optional("port", config.port, "Port");
  in.optional("ratio", config.ratio, "Ratio");
  in.optional("password|pass", config.password, "Password");
  in.optional("wait|wait_time|wait_ms", config.wait, "Wait");
  in.optional("size", config.size, "Size");
  in.optional("rate", config.rate, "Rate");
  in.optional("names", config.names, "Names");
  in.choice("format", config.format, {{"jsonl", Format::jsonl}, {"csv", Format::csv}}, "Format");
  in.optional("limit", config.limit, "Limit");
  in.section("pool", "Pool",
             [&](ConfigReader& pool) { pool.optional("inner|deep", config.inner, "Inner"); });
  in.check(config.wait > 0ms, "wait", "longer than 0ms");
  return in.finish();
}

std::string mistakes(const ConfigNode& node) {
  Diagnostics diagnostics;
  Config config;
  ConfigReader in{node, "file source 'orders'", diagnostics};
  const bool ok = read(in, config);
  EXPECT_EQ(ok, !diagnostics.has_errors());
  return diagnostics.to_string();
}

Config parsed(const ConfigNode& node) {
  Diagnostics diagnostics;
  Config config;
  ConfigReader in{node, "file source 'orders'", diagnostics};
  EXPECT_TRUE(read(in, config));
  EXPECT_EQ(diagnostics.to_string(), "");
  return config;
}

TEST(ConfigReaderTest, ReadsEveryType) {
  const auto config = parsed(mapping({{"path", scalar("in.jsonl")},
                                      {"tail", scalar("true")},
                                      {"offset", scalar("-3")},
                                      {"port", quoted("6432")},
                                      {"ratio", scalar("1e-3")},
                                      {"password", secret("hunter2")},
                                      {"wait", scalar("1h30m")},
                                      {"size", scalar("1MB")},
                                      {"rate", scalar("30/m")},
                                      {"names", sequence({scalar("x"), quoted("y")})},
                                      {"format", scalar("csv")},
                                      {"limit", scalar("250ms")},
                                      {"pool", mapping({{"inner", scalar("9")}})}}));
  EXPECT_EQ(config.path, "in.jsonl");
  EXPECT_TRUE(config.tail);
  EXPECT_EQ(config.offset, -3);
  EXPECT_EQ(config.port, 6432);
  EXPECT_DOUBLE_EQ(config.ratio, 0.001);
  EXPECT_EQ(config.password.reveal(), "hunter2");
  EXPECT_EQ(config.wait, 90min);
  EXPECT_EQ(config.size.bytes, 1'000'000U);
  EXPECT_DOUBLE_EQ(config.rate.per_second, 0.5);
  EXPECT_THAT(config.names, ElementsAre("x", "y"));
  EXPECT_EQ(config.format, Format::csv);
  EXPECT_EQ(config.limit, 250ms);
  EXPECT_EQ(config.inner, 9);
}

TEST(ConfigReaderTest, KeepsTheDefaultsOfWhatIsNotThere) {
  const auto config = parsed(mapping({{"path", scalar("x")}}));
  EXPECT_EQ(config.offset, 7);
  EXPECT_EQ(config.wait, 1500ms);
  EXPECT_FALSE(config.limit.has_value());
}

TEST(ConfigReaderTest, ReadsAnAlias) {
  const auto config = parsed(mapping({{"path", scalar("x")}, {"wait_time", scalar("3")}}));
  EXPECT_EQ(config.wait, 3s);
}

TEST(ConfigReaderTest, CountsABareNumberInSecondsUnlessTheNameSaysMilliseconds) {
  EXPECT_EQ(parsed(mapping({{"path", scalar("x")}, {"wait", scalar("2")}})).wait, 2s);
  EXPECT_EQ(parsed(mapping({{"path", scalar("x")}, {"wait_ms", scalar("2")}})).wait, 2ms);
}

TEST(ConfigReaderTest, TakesASingleTextAsAListOfOne) {
  EXPECT_THAT(parsed(mapping({{"path", scalar("x")}, {"names", scalar("one")}})).names,
              ElementsAre("one"));
}

TEST(ConfigReaderTest, RefusesTwoNamesOfOneOption) {
  EXPECT_EQ(
    mistakes(mapping({{"path", scalar("x")}, {"wait", scalar("1s")}, {"wait_ms", scalar("5")}})),
    "<text>:3:1: error: 'wait_ms' says the same as 'wait', which is given too\n"
    "  hint: keep one of them\n");
}

TEST(ConfigReaderTest, SaysWhatAnUnknownOptionMayHaveMeant) {
  EXPECT_EQ(mistakes(mapping({{"path", scalar("x")}, {"fromat", scalar("csv")}})),
            "<text>:2:1: error: file source 'orders' has no option 'fromat'\n"
            "  hint: did you mean 'format'?\n");
}

TEST(ConfigReaderTest, FindsAllMistakesInOnePass) {
  const auto text = mistakes(mapping({{"tail", scalar("yes")},
                                      {"offset", scalar("010x")},
                                      {"port", scalar("70000")},
                                      {"ratio", scalar("nan")},
                                      {"wait", scalar("0")},
                                      {"size", scalar("5 parsecs")},
                                      {"rate", scalar("5/fortnight")},
                                      {"names", mapping({})},
                                      {"format", scalar("jsnl")},
                                      {"limit", sequence({})},
                                      {"pool", mapping({{"iner", scalar("1")}})},
                                      {"password", sequence({})}}));
  EXPECT_EQ(text, "<text>:1:1: error: file source 'orders' needs the option 'path'\n"
                  "  hint: File to read\n"
                  "<text>:1:7: error: 'tail' must be true or false, not 'yes'\n"
                  "<text>:2:9: error: 'offset' must be an integer, not '010x'\n"
                  "<text>:3:7: error: 'port' must be a number that fits\n"
                  "<text>:4:8: error: 'ratio' must be a number, not 'nan'\n"
                  "<text>:12:11: error: 'password' must be text, not a list\n"
                  "<text>:6:7: error: 'size' must be a number of bytes, not '5 parsecs'\n"
                  "  hint: write 512, 64KiB or 1MB\n"
                  "<text>:7:7: error: 'rate' must be a rate, not '5/fortnight'\n"
                  "  hint: write 100/s or 5/m\n"
                  "<text>:8:8: error: 'names' must be a text or a list of texts, not a mapping\n"
                  "<text>:9:9: error: 'format' must be one of jsonl, csv, not 'jsnl'\n"
                  "  hint: did you mean 'jsonl'?\n"
                  "<text>:10:8: error: 'limit' must be a duration, not a list\n"
                  "  hint: write 100ms, 5s, 10m, 2h or 1d\n"
                  "<text>:1:1: error: 'pool' of file source 'orders' has no option 'iner'\n"
                  "  hint: did you mean 'inner'?\n"
                  "<text>:5:7: error: 'wait' must be longer than 0ms\n");
}

TEST(ConfigReaderTest, NeverPrintsASecret) {
  const auto text = mistakes(mapping({{"path", scalar("x")},
                                      {"tail", secret("planted")},
                                      {"offset", secret("planted")},
                                      {"port", secret("planted")},
                                      {"ratio", secret("planted")},
                                      {"wait", secret("planted")},
                                      {"size", secret("planted")},
                                      {"rate", secret("planted")},
                                      {"format", secret("planted")},
                                      {"pool", secret("planted")}}));
  EXPECT_THAT(text, Not(HasSubstr("planted")));
  EXPECT_THAT(text, HasSubstr("'offset' must be an integer, not <secret>"));
}

TEST(ConfigReaderTest, TakesWhatSomebodyElseReadsAsKnown) {
  const auto node = mapping({{"name", scalar("x")}, {"timout", scalar("1s")}});
  Diagnostics diagnostics;
  ConfigReader in{node, "drop step 'x'", diagnostics};
  in.ignore({"name", "timeout"});
  EXPECT_FALSE(in.finish());
  EXPECT_FALSE(in.finish());
  EXPECT_EQ(diagnostics.to_string(), "<text>:2:1: error: drop step 'x' has no option 'timout'\n"
                                     "  hint: did you mean 'timeout'?\n");
}

TEST(ConfigReaderTest, RefusesWhatIsNoMapping) {
  const auto node = scalar("text");
  Diagnostics diagnostics;
  Config config;
  ConfigReader in{node, "file source 'orders'", diagnostics};
  EXPECT_FALSE(read(in, config));
  EXPECT_EQ(diagnostics.to_string(),
            "<text>:1:1: error: file source 'orders' must be a mapping of options, not 'text'\n");
}

TEST(ConfigReaderTest, ListsItsOptionsWhereItDescribes) {
  std::vector<OptionSpec> specs;
  Config config;
  auto in = ConfigReader::describing(specs);
  EXPECT_FALSE(read(in, config));
  ASSERT_EQ(specs.size(), 13U);
  EXPECT_EQ(specs[0].name, "path");
  EXPECT_EQ(specs[0].type, "text");
  EXPECT_TRUE(specs[0].required);
  EXPECT_EQ(specs[0].doc, "File to read");
  EXPECT_EQ(specs[1].default_text, "false");
  EXPECT_EQ(specs[3].default_text, "5432");
  EXPECT_EQ(specs[4].default_text, "0.5");
  EXPECT_EQ(specs[5].default_text, "");
  EXPECT_THAT(specs[6].aliases, ElementsAre("wait_time", "wait_ms"));
  EXPECT_EQ(specs[6].default_text, "1s500ms");
  EXPECT_EQ(specs[7].default_text, "64KiB");
  EXPECT_EQ(specs[8].default_text, "10/s");
  EXPECT_EQ(specs[9].default_text, "a, b");
  EXPECT_EQ(specs[10].type, "one of jsonl, csv");
  EXPECT_THAT(specs[10].choices, ElementsAre("jsonl", "csv"));
  EXPECT_EQ(specs[10].default_text, "jsonl");
  EXPECT_EQ(specs[11].default_text, "");
  ASSERT_EQ(specs[12].nested.size(), 1U);
  EXPECT_EQ(specs[12].nested[0].name, "inner");
  EXPECT_THAT(specs[12].nested[0].aliases, ElementsAre("deep"));
}

TEST(ConfigReaderTest, RefusesExpressionsWhereNobodyCompilesThem) {
  const auto node = mapping({{"key", scalar("$.a")}});
  Diagnostics diagnostics;
  ConfigReader in{node, "x", diagnostics};
  ExpressionPtr key;
  in.optional("key", key, "Key");
  EXPECT_FALSE(in.finish());
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("expressions cannot be used here"));
}

TEST(ConfigReaderTest, RefusesATemplateInTextThatIsTakenAsItStands) {
  auto literal = scalar("a${b}");
  literal.literal_dollars = {1};
  EXPECT_EQ(parsed(mapping({{"path", literal}})).path, "a${b}");
  EXPECT_EQ(mistakes(mapping({{"path", scalar("out/${$.in.id}")}, {"names", scalar("${DB_URL}")}})),
            "<text>:1:7: error: 'path' takes no '${…}' that is evaluated per record\n"
            "  hint: write $${ for the characters ${\n"
            "<text>:2:8: error: 'names' takes no '${…}' that is evaluated per record\n"
            "  hint: a variable of the environment is written ${ENV:DB_URL}\n");
}

TEST(ConfigReaderTest, DescribesNodesWithoutTheirSecrets) {
  EXPECT_EQ(scalar("x").describe(), "'x'");
  EXPECT_EQ(secret("x").describe(), "<secret>");
  EXPECT_EQ(sequence({}).describe(), "a list");
  EXPECT_EQ(mapping({}).describe(), "a mapping");
  EXPECT_EQ(ConfigNode{}.describe(), "nothing");
  EXPECT_EQ(scalar(std::string(39, 'a') + "éé").describe(), "'" + std::string(39, 'a') + "…'");
}

TEST(ConfigUnitsTest, ReadsDurations) {
  EXPECT_EQ(parse_duration("100ms", 1s), 100ms);
  EXPECT_EQ(parse_duration("1.5s", 1s), 1500ms);
  EXPECT_EQ(parse_duration("1d2h3m4s5ms", 1s), 93'784'005ms);
  EXPECT_EQ(parse_duration("2w", 1s), 14 * 24h);
  EXPECT_EQ(parse_duration("5", 1s), 5s);
  EXPECT_EQ(parse_duration("0", 1ms), 0ms);
  for (const auto* wrong :
       {"", "s", "-1s", "1x", "1h30", "1 s", "1s ", "1e3s", "99999999999999999w", ".5s"})
    EXPECT_EQ(parse_duration(wrong, 1s), std::nullopt) << wrong;
}

TEST(ConfigUnitsTest, WritesDurationsThatReadBack) {
  for (const auto duration : {0ms, 1ms, 999ms, 1000ms, 90'000ms, 86'400'000ms, 86'461'001ms}) {
    EXPECT_EQ(parse_duration(format_duration(duration), 1s), duration) << format_duration(duration);
  }
}

TEST(ConfigUnitsTest, ReadsSizes) {
  EXPECT_EQ(parse_byte_size("512"), 512U);
  EXPECT_EQ(parse_byte_size("64KiB"), 65536U);
  EXPECT_EQ(parse_byte_size("1MB"), 1'000'000U);
  EXPECT_EQ(parse_byte_size("1.5 GiB"), 1'610'612'736U);
  for (const auto* wrong : {"", "MB", "-1", "1TBX", "1 2", "99999999999GiB"})
    EXPECT_EQ(parse_byte_size(wrong), std::nullopt) << wrong;
}

TEST(ConfigUnitsTest, ReadsRates) {
  EXPECT_DOUBLE_EQ(parse_rate("100/s")->per_second, 100);
  EXPECT_DOUBLE_EQ(parse_rate("6/m")->per_second, 0.1);
  EXPECT_DOUBLE_EQ(parse_rate("3")->per_second, 3);
  for (const auto* wrong : {"", "/s", "1/", "1/x", "-1/s"})
    EXPECT_FALSE(parse_rate(wrong).has_value()) << wrong;
}

}  // namespace
}  // namespace millrace::sdk
