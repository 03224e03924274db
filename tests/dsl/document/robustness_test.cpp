// Files made of the golden ones by chance: they load or are refused, and nothing worse happens.
#include "dsl/document/load_support.hpp"
#include "dsl/explain.hpp"
#include "dsl/graph.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace millrace::dsl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> seeds() {
  std::vector<std::string> texts;
  for (const auto* folder :
       {"tests/golden/mistakes", "tests/golden/programs", "config/pipelines"}) {
    for (const auto& entry : fs::directory_iterator{fs::path{MILLRACE_SOURCE_DIR} / folder}) {
      if (entry.path().extension() != ".yaml")
        continue;
      std::ifstream in{entry.path(), std::ios::binary};
      std::ostringstream text;
      text << in.rdbuf();
      texts.push_back(text.str());
    }
  }
  return texts;
}

// Lines of one file put where those of another stood, and single bytes changed.
std::string mutate(const std::vector<std::string>& texts, std::mt19937& random) {
  auto text = texts[random() % texts.size()];
  const auto& other = texts[random() % texts.size()];
  for (int i = 0; i < 3 && !text.empty() && !other.empty(); ++i) {
    const auto at = random() % text.size();
    switch (random() % 4) {
    case 0:
      text[at] = static_cast<char>(random() % 256);
      break;
    case 1:
      text.erase(at, random() % 20);
      break;
    case 2:
      text.insert(at, 1, "[]{}:,&*-?|>'\"%#\n\t ~!$"[random() % 23]);
      break;
    default: {
      const auto from = random() % other.size();
      const auto line = other.substr(from, other.find('\n', from) - from + 1);
      text.insert(text.rfind('\n', at) == std::string::npos ? 0 : text.rfind('\n', at) + 1, line);
    }
    }
  }
  return text;
}

TEST(RobustnessTest, LoadsOrRefusesWhateverStandsInAFile) {
  const auto texts = seeds();
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  int loadable = 0;
  for (int round = 0; round < 3'000; ++round) {
    const auto text = mutate(texts, random);
    const auto loaded = test::load_text(text);
    ASSERT_EQ(loaded.program == nullptr, loaded.diagnostics.has_errors()) << text;
    if (!loaded.program)
      continue;
    ++loadable;
    EXPECT_NE(explain(*loaded.program), "");
    EXPECT_NE(to_mermaid(*loaded.program), "");
    EXPECT_NE(to_dot(*loaded.program), "");
  }
  EXPECT_GT(loadable, 0);
}

}  // namespace
}  // namespace millrace::dsl
