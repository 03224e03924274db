#include "dsl/yaml_reader.hpp"

#include <gtest/gtest.h>

#include <random>

namespace millrace::dsl {
namespace {

using sdk::ConfigNode;
using sdk::Diagnostics;

ConfigNode read(const std::string& text) {
  Diagnostics diagnostics;
  auto node = read_yaml(text, std::make_shared<const std::string>("a.yaml"), diagnostics);
  EXPECT_EQ(diagnostics.to_string(), "");
  return node.value_or(ConfigNode{});
}

std::string mistakes(std::string_view text) {
  Diagnostics diagnostics;
  static_cast<void>(read_yaml(text, std::make_shared<const std::string>("a.yaml"), diagnostics));
  return diagnostics.to_string();
}

TEST(YamlReaderTest, KeepsPlacesKindsAndQuotes) {
  const auto root = read("a: 1\n\"b\": 'x'\nc:\n  - ~\n  - {d: e}\n");
  ASSERT_EQ(root.entries.size(), 3U);
  EXPECT_EQ(root.entries[0].key_place.to_string(), "a.yaml:1:1");
  EXPECT_EQ(root.find("a")->place.to_string(), "a.yaml:1:4");
  EXPECT_FALSE(root.find("a")->quoted);
  EXPECT_TRUE(root.find("b")->quoted);
  const auto& list = *root.find("c");
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_TRUE(list.items[0].is_null());
  EXPECT_EQ(list.items[1].find("d")->place.to_string(), "a.yaml:5:9");
}

TEST(YamlReaderTest, GivesAMissingValueThePlaceOfItsKey) {
  const auto root = read("a: 1\nb:\nc: 2\n");
  EXPECT_TRUE(root.find("b")->is_null());
  EXPECT_EQ(root.find("b")->place.to_string(), "a.yaml:2:1");
}

TEST(YamlReaderTest, TakesABlockScalarAsText) {
  const auto root = read("a: |\n  SELECT 1\n  FROM t\n");
  EXPECT_EQ(root.find("a")->text, "SELECT 1\nFROM t\n");
  EXPECT_TRUE(root.find("a")->quoted);
}

TEST(YamlReaderTest, SkipsAByteOrderMark) {
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a: 1\n")
              .entries[0]
              .key_place.to_string(),
            "a.yaml:1:1");
}

TEST(YamlReaderTest, FollowsAliasesAndShowsWhereTheyStand) {
  const auto root = read("a: &x {b: 1}\nc: *x\n");
  EXPECT_EQ(root.find("c")->find("b")->text, "1");
  EXPECT_EQ(root.find("c")->place.to_string(), "a.yaml:2:4");
}

TEST(YamlReaderTest, MergesKeysUnderThoseThatAreGiven) {
  const auto root = read("a: &x {b: 1, c: 1}\nd: &y {c: 2, e: 2}\nf: {<<: [*x, *y], b: 3}\n");
  const auto& merged = *root.find("f");
  EXPECT_EQ(merged.entries.size(), 3U);
  EXPECT_EQ(merged.find("b")->text, "3");
  EXPECT_EQ(merged.find("c")->text, "1");
  EXPECT_EQ(merged.find("e")->text, "2");
}

TEST(YamlReaderTest, RefusesToMergeWhatIsNoMapping) {
  EXPECT_EQ(mistakes("a: {<<: [1]}\n"), "a.yaml:1:10: error: '<<' merges mappings, not '1'\n");
}

TEST(YamlReaderTest, RefusesAFileThatIsTooLarge) {
  const std::string text = "a: " + std::string(max_file_bytes, 'x');
  EXPECT_EQ(mistakes(text), "a.yaml: error: the file is larger than 1048576 bytes\n"
                            "  hint: split it into several files; 'millrace run' takes them all\n");
}

TEST(YamlReaderTest, RefusesTooManyValues) {
  std::string text = "a: [";
  for (std::size_t i = 0; i < max_yaml_nodes; ++i)
    text += "1,";
  text += "1]";
  EXPECT_NE(mistakes(text).find("more than 100000 values"), std::string::npos);
}

TEST(YamlReaderTest, RefusesDeepNestingOfEveryKind) {
  for (const std::string open : {"[", "{a: ", "- ", "? "}) {
    std::string text;
    for (int i = 0; i < 5'000; ++i)
      text += open;
    EXPECT_NE(mistakes(text), "") << open;
  }
}

TEST(YamlReaderTest, SaysThatUtf16IsTheReason) {
  EXPECT_EQ(mistakes(std::string_view{"\xFF\xFE"
                                      "a\0:\0",
                                      6}),
            "a.yaml:1:1: error: invalid UTF-8 where YAML allows none\n"
            "  hint: the file looks like UTF-16; save it as UTF-8\n");
}

TEST(YamlReaderTest, TakesANullDocument) {
  EXPECT_TRUE(read("---\n").is_null());
}

// Whatever the bytes are, there is a tree or a mistake, and never a crash.
TEST(YamlReaderTest, SurvivesMutatedFiles) {
  const std::string seed_text =
    "name: a\nsteps:\n  - &x {name: in, type: stdin, <<: {a: 1}}\n  - *x\n  - |\n    text\n";
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 3'000; ++round) {
    auto text = seed_text;
    for (int i = 0; i < 4; ++i) {
      const auto at = random() % text.size();
      switch (random() % 3) {
      case 0:
        text[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        text.insert(at, 1, "[]{}:,&*-?|>'\"%#\n\t ~!"[random() % 22]);
        break;
      default:
        text.erase(at, 1);
      }
    }
    Diagnostics diagnostics;
    const auto node = read_yaml(text, nullptr, diagnostics);
    EXPECT_TRUE(node || diagnostics.has_errors()) << text;
  }
}

}  // namespace
}  // namespace millrace::dsl
