// Every mistake that a file can hold, and what is said about it: tests/golden/mistakes/NAME.yaml
// and NAME.txt. A line
// `### other.yaml` begins another file of the same load, `### fill 1048576` stands for so many
// bytes of comments. MILLRACE_UPDATE_GOLDEN=1 writes the answers anew.
#include "dsl/document/fake_connectors.hpp"
#include "dsl/load.hpp"
#include "support/fake_environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace::dsl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view planted = "pl4nted-s3cret";

const fs::path folder = fs::path{MILLRACE_SOURCE_DIR} / "tests/golden/mistakes";

std::string content(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{folder}) {
    if (entry.path().extension() == ".yaml")
      names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

// Splits the text at its `### name` lines; @returns the names in order.
std::vector<std::string> split_files(const std::string& name, const std::string& text,
                                     test::FakeEnvironment& world) {
  std::vector<std::string> files{name + ".yaml"};
  std::istringstream lines{text};
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("### fill ")) {
      world.files[files.back()] += "#" + std::string(std::stoul(line.substr(9)), '-') + "\n";
    } else if (line.starts_with("### ")) {
      files.push_back(line.substr(4));
      world.files[files.back()];
    } else {
      world.files[files.back()] += line + "\n";
    }
  }
  return files;
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, SaysWhatIsWrongWhereAndWhatToDo) {
  test::FakeEnvironment world;
  world.values = {{"DB_URL", "postgresql://db.example/shop"},
                  {"DB_USERNAME", "reader"},
                  {"DB_PASSWORD", std::string{planted}},
                  {"SECRET", std::string{planted}}};
  const auto files = split_files(GetParam(), content(folder / (GetParam() + ".yaml")), world);
  const auto loaded = load(
    {.files = files, .connectors = test::fake_connectors(), .environment = &world});
  const auto text = loaded.diagnostics.to_string();
  EXPECT_EQ(loaded.program == nullptr, loaded.diagnostics.has_errors());
  EXPECT_THAT(text, testing::Not(testing::HasSubstr(std::string{planted})));
  const auto answer = folder / (GetParam() + ".txt");
  if (std::getenv("MILLRACE_UPDATE_GOLDEN") != nullptr)
    std::ofstream{answer, std::ios::binary} << text;
  EXPECT_EQ(text, content(answer));
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name;
  bool upper = true;
  for (const char c : info.param) {
    if (c == '-')
      upper = true;
    else {
      name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Mistakes, GoldenTest, testing::ValuesIn(cases()), test_name);

}  // namespace
}  // namespace millrace::dsl
