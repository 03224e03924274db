// The examples of docs/library.md are parts of the programs in tests/consumer, which are compiled
// and run on the installed package.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

// Where a line is broken does not matter.
std::string squeeze(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\n')
      out += c;
  }
  return out;
}

std::vector<std::string> examples(const std::string& page) {
  std::vector<std::string> found;
  std::istringstream in{page};
  std::string block;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```cpp") {
      inside = true;
      block.clear();
    } else if (inside && line == "```") {
      inside = false;
      found.push_back(block);
    } else if (inside) {
      block += line + '\n';
    }
  }
  return found;
}

TEST(LibraryPageTest, EveryExampleIsAPartOfAProgramThatRuns) {
  const fs::path root{MILLRACE_SOURCE_DIR};
  std::string programs;
  for (const auto& entry : fs::directory_iterator{root / "tests" / "consumer"}) {
    if (entry.path().extension() == ".cpp")
      programs += squeeze(read(entry.path()));
  }
  const auto found = examples(read(root / "docs" / "library.md"));
  EXPECT_GT(found.size(), 10U);
  for (const auto& example : found)
    EXPECT_NE(programs.find(squeeze(example)), std::string::npos) << example;
}

}  // namespace
