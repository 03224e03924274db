// What every source keeps to, whatever it reads from.
#include "tests/conformance/conformance_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <functional>
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

class SourceConformanceTest : public testing::TestWithParam<Subject<SourceWorld>> {
protected:
  void SetUp() override {
    if (const auto reason = GetParam().why_not(); !reason.empty())
      GTEST_SKIP() << reason;
    world_ = GetParam().make();
  }

  std::vector<std::string> to_the_end() const {
    return world_->ends() ? std::vector<std::string>{"--once"} : std::vector<std::string>{};
  }

  /// @param more steps behind the one that shows the records.
  Launch launch(const std::vector<std::string>& flags, const std::string& more = {},
                const std::string& servers = {}) {
    auto launch = launch_in(*world_,
                            "  - {name: in, " + world_->step()
                              + "}\n  - {name: out, type: transform, set: {n: " + world_->number()
                              + "}}\n  - {type: stdout}\n" + more,
                            flags, servers.empty() ? world_->servers() : servers);
    launch.input = world_->input();
    return launch;
  }

  /// A process that has begun, with the records put where it finds them.
  std::unique_ptr<Process> start(const std::vector<std::string>& flags, int count,
                                 const std::string& more = {}) {
    if (!world_->needs_port())
      world_->put(0, count, 0);
    auto process = std::make_unique<Process>(launch(flags, more));
    if (world_->needs_port())
      world_->put(0, count, port_of(*process));
    return process;
  }

  /// Waits for that record and, where they have no order, for those before it.
  bool wait_for(Process& process, int n) const {
    bool there = true;
    for (int i = world_->keeps_order() ? n : 0; i <= n && there; ++i)
      there = process.wait_for("{\"n\":" + std::to_string(i) + "}");
    return there;
  }

  static std::vector<int> up_to(int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  /// Ends it where it does not end by itself.
  Finished finish(Process& process, int last) {
    if (!world_->ends()) {
      EXPECT_TRUE(wait_for(process, last)) << process.err();
      process.signal(SIGTERM);
    }
    return process.wait();
  }

  std::unique_ptr<SourceWorld> world_;
};

INSTANTIATE_TEST_SUITE_P(All, SourceConformanceTest, testing::ValuesIn(all_sources()),
                         [](const auto& one) { return one.param.name; });

constexpr const char* held = "  - {type: delay, for: 1h}\n";

TEST_P(SourceConformanceTest, GivesEachRecordOnceAndInOrder) {
  const auto process = start(to_the_end(), 300);
  const auto done = finish(*process, 299);
  EXPECT_EQ(done.code, 0) << done.err;
  auto seen = numbers_in(done.out);
  if (!world_->keeps_order())
    std::ranges::sort(seen);
  if (world_->is_exact()) {
    EXPECT_EQ(seen, up_to(300));
  } else {
    EXPECT_TRUE(std::ranges::is_sorted(seen)) << done.out;
  }
}

TEST_P(SourceConformanceTest, DoesNotGiveAgainWhatHasSettled) {
  if (!world_->remembers())
    return;  // it remembers nothing from one run to the next
  const auto process = start(to_the_end(), 50);
  EXPECT_EQ(finish(*process, 49).code, 0);
  world_->put(50, 60, 0);
  Process again{launch(to_the_end())};
  const auto done = again.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  const auto seen = numbers_in(done.out);
  ASSERT_EQ(seen.size(), 10U) << done.out;
  EXPECT_EQ(seen.front(), 50);
}

TEST_P(SourceConformanceTest, GivesAgainWhatHadNotSettledWhenTheProcessDied) {
  if (!world_->comes_again())
    return;  // it cannot read again
  {
    const auto process = start({}, 50, held);
    ASSERT_TRUE(wait_for(*process, 49)) << process->err();
    process->signal(SIGKILL);
    process->wait();
  }
  Process again{launch(to_the_end())};
  const auto done = again.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(numbers_in(done.out), up_to(50));
}

TEST_P(SourceConformanceTest, WaitsWhileNobodyTakesItsRecords) {
  if (!world_->keeps_order())
    return;  // it refuses records instead, which its own tests hold
  constexpr int credit = 100;
  constexpr int most_at_once = 1'000;  // the last intake may go beyond
  const auto process = start({"--credit-records", std::to_string(credit)}, 3'000, held);
  ASSERT_TRUE(wait_for(*process, credit - 1)) << process->err();
  process->signal(SIGKILL);
  EXPECT_LE(numbers_in(process->wait().out).size(),
            static_cast<std::size_t>(credit + most_at_once));
}

TEST_P(SourceConformanceTest, StopsBeforeItHasBegun) {
  if (!world_->needs_port())
    world_->put(0, 1, 0);
  auto made = launch({});
  made.keep_input_open = true;
  Process process{made};
  ASSERT_TRUE(process.wait_for("pipeline started")) << process.err();
  process.signal(SIGTERM);
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
}

TEST_P(SourceConformanceTest, StopsWhenItWaitsForMore) {
  const auto process = start({}, 10);
  ASSERT_TRUE(wait_for(*process, 9)) << process->err();
  process->signal(SIGTERM);
  const auto done = process->wait();
  EXPECT_EQ(done.code, 0) << done.err;
  if (world_->is_exact()) {
    EXPECT_EQ(numbers_in(done.out).size(), 10U);
  }
}

TEST_P(SourceConformanceTest, StopsWithRecordsUnderWayAndSaysThatTheyAreUnfinished) {
  const auto process = start({"--drain-timeout", "100ms"}, 10, held);
  ASSERT_TRUE(wait_for(*process, 9)) << process->err();
  process->signal(SIGTERM);
  const auto done = process->wait();
  EXPECT_EQ(done.code, 75) << done.err;
}

TEST_P(SourceConformanceTest, StopsWhileItWaitsForCredit) {
  const auto process = start({"--drain-timeout", "100ms", "--credit-records", "10"}, 1'000, held);
  ASSERT_TRUE(wait_for(*process, 9)) << process->err();
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait().code, 75);
}

TEST_P(SourceConformanceTest, WaitsForAServerThatIsAwayAtTheStart) {
  if (!world_->has_server())
    return;  // it has no server
  world_->put(0, 10, 0);
  world_->go_away();
  Process process{launch({})};
  ASSERT_TRUE(process.wait_for("pipeline started")) << process.err();
  world_->come_back();
  EXPECT_TRUE(wait_for(process, 9)) << process.err();
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
}

TEST_P(SourceConformanceTest, GoesOnWhenItsServerWasAway) {
  if (!world_->has_server())
    return;  // it has no server
  const auto process = start({}, 10);
  ASSERT_TRUE(wait_for(*process, 9)) << process->err();
  world_->go_away();
  world_->come_back();
  world_->put(10, 20, 0);
  EXPECT_TRUE(wait_for(*process, 19)) << process->err();
  process->signal(SIGTERM);
  const auto done = process->wait();
  EXPECT_EQ(done.code, 0) << done.err;
  // Some may have come twice; none is missing.
  const auto seen = numbers_in(done.out);
  EXPECT_EQ((std::set<int>{seen.begin(), seen.end()}.size()), 20U) << done.out;
}

TEST_P(SourceConformanceTest, SaysThatItsCredentialsAreWrong) {
  if (world_->wrong_servers().empty())
    return;  // it has no credentials
  const auto done = run_process(launch({"--once"}, {}, world_->wrong_servers()));
  EXPECT_NE(done.code, 0);
  EXPECT_NE(done.code, 70) << done.err;
  EXPECT_THAT(done.err, HasSubstr("error"));
  EXPECT_THAT(done.err, Not(HasSubstr("ada:wrong")));
}

TEST_P(SourceConformanceTest, NamesAnOptionThatItDoesNotHave) {
  const auto file = world_->scratch().write(
    "bad.yaml", (world_->servers().empty() ? std::string{} : "servers:\n" + world_->servers())
                  + "name: t\nsteps:\n  - {name: in, " + world_->step() + ", zzzzz: 1}\n");
  const auto done = millrace({"validate", file});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, ContainsRegex("bad.yaml:[0-9]+:[0-9]+: error: .*'zzzzz'"));
}

}  // namespace
}  // namespace millrace::test
