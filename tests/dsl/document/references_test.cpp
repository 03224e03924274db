#include "dsl/references.hpp"
#include "dsl/yaml_reader.hpp"
#include "support/fake_environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::dsl {
namespace {

using sdk::ConfigNode;
using testing::ElementsAre;

struct Resolved {
  ConfigNode node;
  std::string mistakes;
};

Resolved resolve(const std::string& scalar) {
  test::FakeEnvironment world;
  world.values = {{"NAME", "value"},
                  {"EMPTY", ""},
                  {"AGAIN", "${ENV:NAME}"},
                  {"PATH_LIKE", "$.a ${b}"},
                  {"BROKEN", "\xff"}};
  world.files = {
    {"conf/secret", "s3cret\n"}, {"/run/secrets/x", "absolute\r\n"}, {"conf/two", "a\n\n"}};
  sdk::Diagnostics diagnostics;
  auto root = read_yaml("a: " + scalar + "\n", std::make_shared<const std::string>("conf/a.yaml"),
                        diagnostics);
  if (root)
    resolve_references(*root, world, diagnostics);
  return {root ? *root->find("a") : ConfigNode{}, diagnostics.to_string()};
}

TEST(ReferencesTest, PutsAVariableIn) {
  const auto [node, mistakes] = resolve("\"x-${ENV:NAME}-y\"");
  EXPECT_EQ(mistakes, "");
  EXPECT_EQ(node.text, "x-value-y");
  EXPECT_TRUE(node.secret);
  EXPECT_FALSE(node.is_text);
}

TEST(ReferencesTest, LeavesOtherScalarsAlone) {
  const auto [node, mistakes] = resolve("\"Bearer ${$.login.token}\"");
  EXPECT_EQ(node.text, "Bearer ${$.login.token}");
  EXPECT_FALSE(node.secret);
}

TEST(ReferencesTest, TakesTheDefaultWhereTheVariableIsMissingOrEmpty) {
  EXPECT_EQ(resolve("${ENV:NOBODY:-fallback}").node.text, "fallback");
  EXPECT_EQ(resolve("${ENV:EMPTY:-fallback}").node.text, "fallback");
  EXPECT_EQ(resolve("${ENV:NAME:-fallback}").node.text, "value");
  EXPECT_EQ(resolve("\"${ENV:NOBODY:-}\"").node.text, "");
  EXPECT_EQ(resolve("\"${ENV:EMPTY}\"").mistakes, "");
}

TEST(ReferencesTest, NeverResolvesWhatItPutIn) {
  const auto [node, mistakes] = resolve("\"${ENV:AGAIN}\"");
  EXPECT_EQ(node.text, "${ENV:NAME}");
  EXPECT_EQ(node.find_template(), std::string::npos);
  EXPECT_TRUE(node.is_text);
}

TEST(ReferencesTest, MarksDollarsFromOutsideAsLiteral) {
  const auto [node, mistakes] = resolve("\"${ENV:PATH_LIKE} ${$.c}\"");
  EXPECT_EQ(node.text, "$.a ${b} ${$.c}");
  EXPECT_THAT(node.literal_dollars, ElementsAre(0U, 4U));
  EXPECT_EQ(node.find_template(), 9U);
}

TEST(ReferencesTest, UnescapesADoubledDollar) {
  const auto [node, mistakes] = resolve("\"$${ENV:NAME} and $${$.a}\"");
  EXPECT_EQ(node.text, "${ENV:NAME} and ${$.a}");
  EXPECT_EQ(node.find_template(), std::string::npos);
  EXPECT_FALSE(node.secret);
}

TEST(ReferencesTest, ReadsFilesFromBesideTheFileAndCutsOneLineEnd) {
  EXPECT_EQ(resolve("${FILE:secret}").node.text, "s3cret");
  EXPECT_EQ(resolve("${FILE:/run/secrets/x}").node.text, "absolute");
  EXPECT_EQ(resolve("${FILE:two}").node.text, "a\n");
}

TEST(ReferencesTest, NotesWhatComesFromWhichFileSoThatItCanBeReadAgain) {
  const auto [node,
              mistakes] = resolve("\"db://${ENV:NAME}:${FILE:secret}@h/${FILE:/run/secrets/x}\"");
  ASSERT_EQ(node.files.size(), 2U);
  EXPECT_EQ(node.text.substr(node.files[0].offset, node.files[0].length), "s3cret");
  EXPECT_EQ(node.files[0].path, "conf/secret");
  EXPECT_EQ(node.text.substr(node.files[1].offset, node.files[1].length), "absolute");
  EXPECT_EQ(node.files[1].path, "/run/secrets/x");
}

TEST(ReferencesTest, TakesWhatComesFromOutsideAsTextWhateverItLooksLike) {
  EXPECT_TRUE(resolve("${ENV:NAME}").node.quoted);
}

TEST(ReferencesTest, ReportsWhatIsMissingWithItsPlace) {
  EXPECT_EQ(resolve("${ENV:NOBODY}").mistakes,
            "conf/a.yaml:1:4: error: the environment variable 'NOBODY' is not set\n"
            "  hint: set it, or give a default: ${ENV:NOBODY:-…}\n");
  EXPECT_EQ(resolve("${FILE:none}").mistakes,
            "conf/a.yaml:1:4: error: '${FILE:none}': cannot open 'conf/none': No such "
            "file or directory\n");
  EXPECT_EQ(resolve("${ENV:BROKEN}").mistakes,
            "conf/a.yaml:1:4: error: the environment variable 'BROKEN' holds invalid UTF-8\n");
}

}  // namespace
}  // namespace millrace::dsl
