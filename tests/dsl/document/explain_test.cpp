// tests/golden/programs/*.yaml as `explain` and `graph` show them. MILLRACE_UPDATE_GOLDEN=1 writes
// the answers anew.
#include "dsl/document/load_support.hpp"
#include "dsl/explain.hpp"
#include "dsl/graph.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace::dsl {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path{MILLRACE_SOURCE_DIR} / "tests/golden/programs";

std::string content(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::shared_ptr<const Program> everything() {
  test::FakeEnvironment world;
  world.values = {{"SECRET", "SELECT 1 AS pl4nted"}};
  auto loaded = test::load_text(content(folder / "everything.yaml"), world);
  EXPECT_EQ(loaded.diagnostics.to_string(), "");
  return loaded.program;
}

void expect_golden(const std::string& text, const std::string& name) {
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("pl4nted")));
  if (std::getenv("MILLRACE_UPDATE_GOLDEN") != nullptr)
    std::ofstream{folder / name, std::ios::binary} << text;
  EXPECT_EQ(text, content(folder / name));
}

TEST(ExplainTest, SaysWhatAPipelineReallyDoes) {
  const auto program = everything();
  ASSERT_NE(program, nullptr);
  expect_golden(explain(*program), "everything.explain.txt");
}

TEST(GraphTest, DrawsMermaid) {
  const auto program = everything();
  ASSERT_NE(program, nullptr);
  expect_golden(to_mermaid(*program), "everything.mmd");
}

TEST(GraphTest, DrawsDot) {
  const auto program = everything();
  ASSERT_NE(program, nullptr);
  expect_golden(to_dot(*program), "everything.dot");
}

}  // namespace
}  // namespace millrace::dsl
