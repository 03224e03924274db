#include "runtime/command_line.hpp"
#include "runtime/settings.hpp"
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace millrace::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

const std::string shipped = MILLRACE_SOURCE_DIR "/config/millrace.yaml";

std::vector<sdk::OptionSpec> specs() {
  std::vector<sdk::OptionSpec> all;
  auto in = sdk::ConfigReader::describing(all);
  RunOptions options;
  read_settings(in, options);
  return all;
}

std::string text_of(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// What `run` with that settings file comes to.
RunOptions run_with(const std::string& config, std::vector<const char*> flags = {}) {
  std::vector<const char*> line{"millrace", "run", "--config", config.c_str()};
  line.insert(line.end(), flags.begin(), flags.end());
  const auto parsed = parse_command_line(static_cast<int>(line.size()), line.data());
  if (const auto* advice = std::get_if<Advice>(&parsed)) {
    ADD_FAILURE() << advice->text;
    return {};
  }
  return std::get<RunOptions>(std::get<Command>(parsed));
}

TEST(SettingsTest, TheShippedFileIsReadAndChangesNothing) {
  RunOptions read;
  EXPECT_EQ(load_settings(shipped, read), "");
  const RunOptions plain;
  EXPECT_EQ(read.drain_timeout, plain.drain_timeout);
  EXPECT_EQ(read.engine.credit_bytes, plain.engine.credit_bytes);
  EXPECT_EQ(read.engine.credit_records, plain.engine.credit_records);
  EXPECT_EQ(read.engine.max_throughput, plain.engine.max_throughput);
  EXPECT_EQ(read.engine.threads, plain.engine.threads);
  EXPECT_EQ(read.engine.once, plain.engine.once);
  EXPECT_EQ(read.watch, plain.watch);
  EXPECT_EQ(read.log.level, plain.log.level);
  EXPECT_EQ(read.admin.address, default_admin_address);
  EXPECT_TRUE(read.admin.token.empty());
}

TEST(SettingsTest, TheShippedFileHoldsEverySettingWithAComment) {
  const auto text = "\n" + text_of(shipped);
  for (const auto& spec : specs()) {
    const auto line = text.find("\n" + spec.name + ":");
    ASSERT_NE(line, std::string::npos) << spec.name;
    EXPECT_THAT(text.substr(line + 1, text.find('\n', line + 1) - line - 1), HasSubstr("  # "))
      << spec.name;
  }
}

TEST(SettingsTest, EverySettingIsAFlagAndEveryFlagASetting) {
  const auto help = test::millrace({"run", "--help"}).out;
  std::set<std::string> flags;
  for (auto at = help.find("\n  --"); at != std::string::npos; at = help.find("\n  --", at + 1)) {
    auto name = help.substr(at + 5, help.find_first_of(" \n", at + 5) - at - 5);
    std::ranges::replace(name, '-', '_');
    flags.insert(name);
  }
  flags.erase("config");  // names the file itself
  std::set<std::string> settings;
  for (const auto& spec : specs())
    settings.insert(spec.name);
  settings.erase("pipelines");  // FILE…
  EXPECT_EQ(settings, flags);
}

TEST(SettingsTest, FlagsWinOverVariablesAndTheseOverTheFile) {
  const test::Scratch scratch;
  const auto config = scratch.write("m.yaml", "pipelines: p.yaml\ndrain_timeout: 1s\nthreads: 3\n"
                                              "log_level: warn\n");
  EXPECT_EQ(run_with(config).drain_timeout, 1s);
  ::setenv("MILLRACE_DRAIN_TIMEOUT", "2s", 1);
  const auto by_variable = run_with(config);
  const auto by_flag = run_with(config, {"--drain-timeout", "3s"});
  ::unsetenv("MILLRACE_DRAIN_TIMEOUT");
  EXPECT_EQ(by_variable.drain_timeout, 2s);
  EXPECT_EQ(by_flag.drain_timeout, 3s);
  EXPECT_EQ(by_flag.engine.threads, 3u);
  EXPECT_EQ(by_flag.log.level, sdk::LogLevel::warn);
}

TEST(SettingsTest, PathsStartAtTheFoldersOfTheFileAndAreReplacedByTheCommandLine) {
  const test::Scratch scratch;
  const auto config = scratch.write("m.yaml", "pipelines: [a.yaml, /srv/b]\n");
  EXPECT_THAT(run_with(config).files.files, ElementsAre(scratch.path("a.yaml"), "/srv/b"));
  EXPECT_THAT(run_with(config, {"c.yaml"}).files.files, ElementsAre("c.yaml"));
}

TEST(SettingsTest, MistakesAreFoundInOnePassWithTheirPlaces) {
  const test::Scratch scratch;
  const auto config = scratch.write("m.yaml", "drain_timeot: 1s\nlog_level: loud\nthreads: -1\n");
  const auto done = test::millrace({"run", "--config", config});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr(config + ":1:1: error:"));
  EXPECT_THAT(done.err, HasSubstr("did you mean 'drain_timeout'?"));
  EXPECT_THAT(done.err, HasSubstr(config + ":2:12: error:"));
  EXPECT_THAT(done.err, HasSubstr(config + ":3:10: error:"));
}

TEST(SettingsTest, AFileThatIsNotThereIsAMistake) {
  const auto done = test::millrace({"run", "--config", "/nowhere/m.yaml"});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("/nowhere/m.yaml"));
}

TEST(SettingsTest, WithoutAFileNothingRuns) {
  const auto done = test::millrace({"run"});
  EXPECT_EQ(done.code, 64);
  EXPECT_THAT(done.err, HasSubstr("FILE is required"));
}

TEST(SettingsTest, RunsWhatTheFileNames) {
  const test::Scratch scratch;
  scratch.write("p.yaml", "name: trial\nsteps:\n  - {name: in, type: stdin}\n  - {type: stdout}\n");
  const auto config = scratch.write("m.yaml", "pipelines: p.yaml\nonce: true\n");
  const auto done = test::millrace({"run", "--config", config}, "{\"n\":1}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"n\":1}\n");
}

}  // namespace
}  // namespace millrace::runtime
