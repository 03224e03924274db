// config/millrace.schema.json, judged by a JSON Schema validator that is not ours
// (python3-jsonschema): it takes every example, and refuses what the parser refuses.
#include "tests/runtime/millrace.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

namespace fs = std::filesystem;

constexpr int nothing_was_checked = 77;

Finished check(const std::vector<std::string>& files) {
  Launch launch{.arguments = {"/usr/bin/env", "python3",
                              MILLRACE_SOURCE_DIR "/tests/runtime/schema_check.py",
                              MILLRACE_SOURCE_DIR "/config/millrace.schema.json"}};
  launch.arguments.insert(launch.arguments.end(), files.begin(), files.end());
  return run_process(launch);
}

TEST(SchemaTest, TakesEveryExample) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator{MILLRACE_SOURCE_DIR "/config/pipelines"}) {
    if (entry.path().extension() == ".yaml")
      files.push_back(entry.path().string());
  }
  files.emplace_back(MILLRACE_SOURCE_DIR "/tests/golden/programs/everything.yaml");
  const auto done = check(files);
  if (done.code == nothing_was_checked)
    GTEST_SKIP() << "python3-jsonschema and python3-yaml are not there: " << done.out;
  EXPECT_EQ(done.code, 0) << done.out << done.err;
}

TEST(SchemaTest, TakesStepsWhosePresetsSayWhatTheyNeed) {
  const Scratch scratch;
  const std::vector<std::string> files{
    scratch.write(
      "named.yaml",
      "name: a\noperations: {slow: {type: delay, for: 5s}}\nsteps:\n  - {name: in, type: "
      "stdin}\n  - {name: b, operation: slow}\n  - {name: c, type: delay, operation: "
      "slow}\n"),
    scratch.write(
      "called-like-an-operation.yaml",
      "name: a\nservers: {db: {url: 'sqlite::memory:'}}\noperations: {executeSql: {type: "
      "database, query: SELECT 1, parameters: []}}\nsteps:\n  - {name: in, type: stdin}\n"
      "  - {name: b, type: database, operation: executeSql}\n"),
    scratch.write(
      "another-file.yaml",
      "name: a\nsteps:\n  - {name: in, type: stdin}\n  - {name: c, type: delay, operation: "
      "slow}\n")};
  for (const auto& file : {files[0], files[1]})
    EXPECT_EQ(millrace({"validate", file}).code, 0) << file;
  const auto done = check(files);
  if (done.code == nothing_was_checked)
    GTEST_SKIP() << "python3-jsonschema and python3-yaml are not there: " << done.out;
  EXPECT_EQ(done.code, 0) << done.out << done.err;
}

TEST(SchemaTest, RefusesUnknownKeysWrongTypesAndMissingOptions) {
  const Scratch scratch;
  const auto wrong = [&](const std::string& name, const std::string& steps) {
    return scratch.write(name, "name: a\nsteps:\n  - {name: in, type: stdin}\n" + steps);
  };
  const std::vector<std::string> files{
    wrong("unknown.yaml", "  - {name: b, type: delay, fro: 5s}\n"),
    wrong("type.yaml", "  - {name: b, type: dealy, for: 5s}\n"),
    wrong("duration.yaml", "  - {name: b, type: delay, for: 5 parsecs}\n"),
    wrong("missing.yaml", "  - {name: b, type: delay}\n"),
    wrong("missing-inside.yaml", "  - {name: b, type: parallel, branches: {x: {steps: [{type: "
                                 "delay}]}}}\n"),
    wrong("missing-query.yaml", "  - {name: b, type: database, operation: executeSql}\n"),
    wrong("choice.yaml", "  - {name: b, type: log, level: loud, message: x}\n"),
    wrong("nested.yaml", "  - {name: b, type: switch, cases: [{when: \"$.in.a\", steps: [{type: "
                         "delay, fro: 1s}]}]}\n"),
    scratch.write("top.yaml", "nmae: a\nsteps: [{name: in, type: stdin}]\n")};
  for (const auto& file : files) {
    const auto done = check({file});
    if (done.code == nothing_was_checked)
      GTEST_SKIP() << "python3-jsonschema and python3-yaml are not there: " << done.out;
    EXPECT_EQ(done.code, 1) << file << done.out << done.err;
  }
}

}  // namespace
}  // namespace millrace::test
