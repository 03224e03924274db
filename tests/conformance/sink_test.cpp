// What every sink keeps to, whatever it writes to.
#include "tests/conformance/conformance_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class SinkConformanceTest : public testing::TestWithParam<Subject<SinkWorld>> {
protected:
  void SetUp() override {
    if (const auto reason = GetParam().why_not(); !reason.empty())
      GTEST_SKIP() << reason;
    world_ = GetParam().make();
  }

  Launch launch(const std::string& source, const std::vector<std::string>& flags,
                const std::string& of_step = {}, const std::string& more = {},
                const std::string& servers = {}) const {
    return launch_in(*world_,
                     "  - {name: in, " + source + "}\n  - {name: out, " + world_->step() + of_step
                       + "}\n" + more,
                     flags, servers.empty() ? world_->servers() : servers);
  }

  Launch fed(int count, const std::string& of_step = {}, const std::string& more = {},
             const std::string& servers = {}) const {
    auto made = launch("type: stdin", {}, of_step, more, servers);
    made.input = numbered_lines(0, count);
    return made;
  }

  std::set<int> distinct() const {
    const auto all = world_->taken();
    return {all.begin(), all.end()};
  }

  static std::vector<int> up_to(int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  std::unique_ptr<SinkWorld> world_;
};

INSTANTIATE_TEST_SUITE_P(All, SinkConformanceTest, testing::ValuesIn(all_sinks()),
                         [](const auto& one) { return one.param.name; });

constexpr const char* patient = ", onError: {retry: {attempts: 100000, base: 10ms, cap: 50ms}}";
constexpr const char* dead_letters = "deadLetter: {type: file, operation: write, path: dead.jsonl, "
                                     "mode: append}\n";

TEST_P(SinkConformanceTest, TakesEachRecordOnce) {
  const auto done = run_process(fed(300));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("delivered=300"));
  if (!world_->keeps())
    return;
  auto seen = world_->taken();
  // Those that are asked for side by side arrive in any order.
  if (GetParam().name == "Http")
    std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, up_to(300));
}

TEST_P(SinkConformanceTest, TakesEachRecordThoughTheProcessDies) {
  if (!world_->keeps())
    return;  // it keeps nothing
  constexpr int count = 2'000;
  world_->scratch().write("in.jsonl", numbered_lines(0, count));
  const std::string source = "type: file, operation: read, path: in.jsonl";
  {
    Process process{launch(source, {"--once", "--credit-records", "50"})};
    while (world_->taken().empty() && ::kill(process.pid(), 0) == 0) {
      if (process.err().find("pipeline ended") != std::string::npos)
        break;
    }
    process.signal(SIGKILL);
    process.wait();
  }
  const auto done = run_process(launch(source, {"--once"}));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(distinct().size(), static_cast<std::size_t>(count));
}

TEST_P(SinkConformanceTest, StopsInTheMiddleAndHasFinishedWhatItTook) {
  Process process{launch("type: generate, rate: 2000/s, set: {n: 1}", {})};
  ASSERT_TRUE(process.wait_for("pipeline started")) << process.err();
  process.signal(SIGTERM);
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("open=0"));
}

TEST_P(SinkConformanceTest, LosesNothingWhileItsServerIsAwayAtTheStart) {
  if (!world_->has_server())
    return;  // it has no server
  world_->go_away();
  Process process{fed(100, patient)};
  ASSERT_TRUE(process.wait_for("pipeline started")) << process.err();
  world_->come_back();
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(distinct().size(), 100U);
}

TEST_P(SinkConformanceTest, LosesNothingWhileItsServerIsAwayLater) {
  if (!world_->has_server())
    return;  // it has no server
  auto made = launch("type: stdin", {}, patient, "  - {type: stdout, value: {n: $.in.n}}\n");
  made.keep_input_open = true;
  Process process{made};
  process.write(numbered_lines(0, 10));
  ASSERT_TRUE(process.wait_for("{\"n\":9}")) << process.err();
  world_->go_away();
  process.write(numbered_lines(10, 20));
  world_->come_back();
  EXPECT_TRUE(process.wait_for("{\"n\":19}")) << process.err();
  process.close_input();
  EXPECT_EQ(process.wait().code, 0) << process.err();
  EXPECT_EQ(distinct().size(), 20U);
}

TEST_P(SinkConformanceTest, SendsWhatItCannotTakeToTheDeadLetters) {
  if (!world_->has_server())
    return;  // it has no server
  world_->go_away();
  const auto done = run_process(fed(20, ", onError: {then: deadLetter}", dead_letters));
  world_->come_back();
  EXPECT_EQ(done.code, 0) << done.err;
  const auto dead = numbers_in(world_->scratch().read("dead.jsonl"));
  EXPECT_EQ((std::set<int>{dead.begin(), dead.end()}.size()), 20U) << done.err;
}

TEST_P(SinkConformanceTest, StopsLoudlyWhereItsServerIsAwayAndNobodySaysOtherwise) {
  if (!world_->has_server())
    return;  // it has no server
  world_->go_away();
  const auto done = run_process(fed(3));
  world_->come_back();
  EXPECT_NE(done.code, 0) << done.err;
  EXPECT_NE(done.code, 70) << done.err;
  EXPECT_THAT(done.err, HasSubstr("error"));
}

TEST_P(SinkConformanceTest, SaysThatItsCredentialsAreWrong) {
  if (world_->wrong_servers().empty())
    return;  // it has no credentials
  const auto done = run_process(fed(3, {}, {}, world_->wrong_servers()));
  EXPECT_NE(done.code, 0);
  EXPECT_NE(done.code, 70) << done.err;
  EXPECT_THAT(done.err, HasSubstr("error"));
  EXPECT_THAT(done.err, Not(HasSubstr("ada:wrong")));
  EXPECT_TRUE(world_->taken().empty());
}

TEST_P(SinkConformanceTest, NamesAnOptionThatItDoesNotHave) {
  const auto file = world_->scratch().write(
    "bad.yaml", (world_->servers().empty() ? std::string{} : "servers:\n" + world_->servers())
                  + "name: t\nsteps:\n  - {name: in, type: stdin}\n  - {name: out, "
                  + world_->step() + ", zzzzz: 1}\n");
  const auto done = millrace({"validate", file});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, ContainsRegex("bad.yaml:[0-9]+:[0-9]+: error: .*'zzzzz'"));
}

}  // namespace
}  // namespace millrace::test
