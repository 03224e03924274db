// `millrace run`, as a user runs it: what it prints, how it stops, what it ends with.
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class RunTest : public testing::Test {
protected:
  /// `millrace run` of a file with these steps.
  Launch run(const std::string& steps, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(),
                 {"run", scratch_.write("pipeline.yaml", "name: trial\nsteps:\n" + steps)});
    Launch launch = millrace_launch(std::move(flags));
    launch.directory = scratch_.path({});
    return launch;
  }

  Launch run_once(const std::string& steps, std::vector<std::string> flags = {}) {
    flags.emplace_back("--once");
    return run(steps, std::move(flags));
  }

  Scratch scratch_;
};

constexpr const char* echo = "  - {name: in, type: stdin}\n"
                             "  - {name: out, type: stdout}\n";

/// Records go in and never come out.
constexpr const char* stuck = "  - {name: in, type: stdin}\n"
                              "  - {name: seen, type: stdout}\n"
                              "  - {type: delay, for: 1h}\n"
                              "  - {type: drop}\n";

TEST_F(RunTest, ReadsWorksAndWritesUntilTheInputEnds) {
  auto launch = run_once(
    "  - {name: in, type: stdin}\n"
    "  - {name: big, type: filter, when: '$.in.n > 1'}\n"
    "  - {name: shape, type: transform, set: {twice: '$.in.n', who: \"upper($.in.who)\"}}\n"
    "  - {name: out, type: stdout}\n");
  launch.input = "{\"n\":1,\"who\":\"a\"}\n{\"n\":2,\"who\":\"b\"}\n{\"n\":3,\"who\":\"c\"}\n";
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"twice\":2,\"who\":\"B\"}\n{\"twice\":3,\"who\":\"C\"}\n");
}

TEST_F(RunTest, DrainsOnSigtermAndLosesNothing) {
  auto launch = run(echo);
  launch.keep_input_open = true;
  Process process{launch};
  process.write("{\"n\":1}\n");
  ASSERT_TRUE(process.wait_for("{\"n\":1}\n")) << process.err();
  process.write("{\"n\":2}\n");
  ASSERT_TRUE(process.wait_for("{\"n\":2}\n")) << process.err();
  process.signal(SIGTERM);
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"n\":1}\n{\"n\":2}\n");
  EXPECT_THAT(done.err, HasSubstr("SIGTERM"));
}

TEST_F(RunTest, DrainsOnSigint) {
  auto launch = run(echo);
  launch.keep_input_open = true;
  Process process{launch};
  process.write("{\"n\":1}\n");
  ASSERT_TRUE(process.wait_for("{\"n\":1}\n")) << process.err();
  process.signal(SIGINT);
  EXPECT_EQ(process.wait().code, 0) << process.err();
}

TEST_F(RunTest, SaysWithItsCodeThatWorkWasLeftWhenTheDrainTimeoutPassed) {
  auto launch = run(stuck, {"--drain-timeout", "100ms"});
  launch.keep_input_open = true;
  Process process{launch};
  process.write("{\"n\":1}\n");
  ASSERT_TRUE(process.wait_for("{\"n\":1}\n")) << process.err();
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 75) << process.err();
}

TEST_F(RunTest, ASecondSignalGivesUpAtOnce) {
  auto launch = run(stuck, {"--drain-timeout", "1h"});
  launch.keep_input_open = true;
  Process process{launch};
  process.write("{\"n\":1}\n");
  ASSERT_TRUE(process.wait_for("{\"n\":1}\n")) << process.err();
  process.signal(SIGTERM);
  ASSERT_TRUE(process.wait_for("signal received")) << process.err();
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 75) << process.err();
}

TEST_F(RunTest, AMistakeInTheFileStartsNothing) {
  const auto done = run_process(
    run_once("  - {name: in, type: stdn}\n  - {name: out, type: stdout}\n"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("pipeline.yaml:3:"));
  EXPECT_THAT(done.err, HasSubstr("did you mean 'stdin'?"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST_F(RunTest, AFileThatIsNotThereIsNamed) {
  const auto done = millrace({"run", "/nonexistent/pipeline.yaml"});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("/nonexistent/pipeline.yaml"));
}

TEST_F(RunTest, ARecordThatFailsStopsThePipelineByDefault) {
  auto launch = run_once("  - {name: in, type: stdin}\n"
                         "  - {name: n, type: transform, set: {n: 'number($.in.n)'}}\n"
                         "  - {name: out, type: stdout}\n");
  launch.input = "{\"n\":\"1\"}\n{\"n\":\"one\"}\n{\"n\":\"3\"}\n";
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 75);
  EXPECT_THAT(done.err, HasSubstr("pipeline failed"));
}

TEST_F(RunTest, RecordsThatAreSkippedOnPurposeAreSettled) {
  auto launch = run_once(
    "  - {name: in, type: stdin}\n"
    "  - {name: n, type: transform, set: {n: 'number($.in.n)'}, onError: {then: skip}}\n"
    "  - {name: out, type: stdout}\n");
  launch.input = "{\"n\":\"1\"}\n{\"n\":\"one\"}\n{\"n\":\"3\"}\n";
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"n\":1}\n{\"n\":3}\n");
}

TEST_F(RunTest, AnInputFileThatIsNotThereIsAnIoError) {
  const auto done = run_process(
    run_once("  - {name: in, type: file, operation: read, path: absent.jsonl}\n"
             "  - {name: out, type: stdout}\n"));
  EXPECT_EQ(done.code, 74) << done.err;
  EXPECT_THAT(done.err, HasSubstr("absent.jsonl"));
}

TEST_F(RunTest, AReaderThatGoesAwayIsAnErrorAndNotTheEnd) {
  auto launch = run(echo);
  launch.keep_input_open = true;
  Process process{launch};
  process.write("{\"n\":1}\n");
  ASSERT_TRUE(process.wait_for("{\"n\":1}\n")) << process.err();
  process.close_output();
  process.write("{\"n\":2}\n");
  process.close_input();
  const auto done = process.wait();
  EXPECT_EQ(done.code, 75) << done.err;
  EXPECT_THAT(done.err, HasSubstr("pipeline failed"));
}

TEST_F(RunTest, TakesValuesFromEnvFilesAndOverrides) {
  scratch_.write("a.env", "WHO=ada\nWHAT=from the file\n");
  auto launch = run_once(
    "  - {name: in, type: generate, count: 5, set: {who: '${ENV:WHO}', what: '${ENV:WHAT}'}}\n"
    "  - {name: out, type: stdout}\n",
    {"--env-file", "a.env", "--set", "pipelines.trial.steps.in.count=1"});
  launch.environment = {{"WHAT", "from the process"}};
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "{\"who\":\"ada\",\"what\":\"from the process\"}\n");
}

TEST_F(RunTest, LogsJsonLinesWhenAsked) {
  auto launch = run_once(echo, {"--log-format", "json"});
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("\"event\":\"pipeline ended\""));
}

TEST_F(RunTest, ShowsProgressOnATerminalOnly) {
  if (!test::has_terminals())
    GTEST_SKIP() << "no pseudo terminals on this machine: mount devpts on /dev/pts";
  const std::string steps =
    "  - {name: in, type: generate, count: 1000, rate: 1000/s}\n  - {type: drop}\n";
  auto launch = run_once(steps, {"--log-level", "off"});
  EXPECT_THAT(run_process(launch).err, IsEmpty());
  launch.terminal = true;
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("trial: "));
  EXPECT_THAT(done.err, HasSubstr(" records, "));
  EXPECT_THAT(done.err, HasSubstr(" errors"));
}

}  // namespace
}  // namespace millrace::test
