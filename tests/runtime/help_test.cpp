// Every example in a verb's --help works as it stands.
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::vector<std::string>> verbs{
  {"run"},          {"validate"},     {"explain"},
  {"graph"},        {"list"},         {"schema"},
  {"version"},      {"eval"},         {"eval", "jsonpath"},
  {"eval", "sql"},  {"eval", "expr"}, {"dsn"},
  {"dsn", "parse"}, {"dsn", "mask"},  {"dsn", "is-multihost"},
  {"dsn", "build"}};

/// The first line behind "Example:".
std::string example_of(const std::vector<std::string>& verb) {
  auto line = verb;
  line.emplace_back("--help");
  const auto help = millrace(line).out;
  const auto start = help.find("Example:\n  ");
  if (start == std::string::npos)
    return {};
  const auto first = start + 11;
  return help.substr(first, help.find('\n', first) - first);
}

class HelpTest : public testing::TestWithParam<std::vector<std::string>> {
protected:
  // What the examples speak of.
  HelpTest() {
    fs::create_directory(scratch_.path("pipelines"));
    fs::create_directory(scratch_.path("bin"));
    fs::create_symlink(MILLRACE_BINARY_DIR "/millrace", scratch_.path("bin/millrace"));
    scratch_.write("pipelines/orders.yaml",
                   "name: orders\n"
                   "servers: {db: {url: 'sqlite::memory:'}}\n"
                   "steps:\n"
                   "  - {name: in, type: generate, count: 1}\n"
                   "  - {name: q, type: database, operation: executeSql, query: SELECT 1, "
                   "parameters: []}\n");
    scratch_.write("orders.json", R"({"orders":[{"id":1,"total":50},{"id":2,"total":150}]})");
    // Graphviz need not be there: what comes to it is a drawing.
    const auto dot = scratch_.write("bin/dot", "#!/bin/sh\ngrep -q '^digraph' && echo '<svg/>'\n");
    fs::permissions(dot, fs::perms::owner_all);
  }

  Scratch scratch_;
};

TEST_P(HelpTest, HasAnExampleThatWorks) {
  const auto example = example_of(GetParam());
  ASSERT_THAT(example, HasSubstr("millrace " + GetParam().front()));
  Launch launch{
    .arguments = {"/bin/bash", "-o", "pipefail", "-c", "PATH=\"$PWD/bin:$PATH\"; " + example}};
  launch.directory = scratch_.path({});
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << example << "\n" << done.err;
  EXPECT_THAT(done.err, Not(HasSubstr("error:"))) << example;
}

std::string test_name(const testing::TestParamInfo<std::vector<std::string>>& verb) {
  std::string name;
  for (const auto& word : verb.param) {
    for (const char c : word) {
      if (c != '-')
        name += c;
    }
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Verbs, HelpTest, testing::ValuesIn(verbs), test_name);

TEST(HelpExamplesTest, SayWhatTheyPromise) {
  EXPECT_EQ(example_of({"list"}), "millrace list options file");
  EXPECT_THAT(millrace({"list", "options", "file"}).out, HasSubstr("path"));
}

}  // namespace
}  // namespace millrace::test
