// The verbs that ask a running process.
#include "tests/runtime/admin_process.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

class RemoteVerbsTest : public testing::Test {
protected:
  RemoteVerbsTest() {
    process_.emplace(std::vector<std::string>{
      "run",
      scratch_.write("p.yaml",
                     "servers: {db: {url: 'sqlite::memory:'}}\n"
                     "pipelines:\n"
                     "  orders:\n"
                     "    steps:\n"
                     "      - {name: in, type: timer, operation: every, every: 20ms}\n"
                     "      - {name: only, type: filter, when: '$.in.id != 7'}\n"
                     "      - {name: check, type: fail, message: no luck, when: '$.in.id == 13', "
                     "onError: {then: deadLetter}}\n"
                     "      - {name: q, type: database, operation: executeSql, server: db, query: "
                     "SELECT 1, parameters: []}\n"
                     "    deadLetter: {type: file, operation: write, path: "
                       + scratch_.path("dead.jsonl") + ", mode: append}\n")});
  }

  Finished ask(std::vector<std::string> arguments, std::string input = {}) {
    arguments.insert(arguments.end(), {"--admin-address", process_->options().address});
    return millrace(std::move(arguments), std::move(input));
  }

  bool delivers() {
    return AdminProcess::eventually([&] { return process_->number("orders", "delivered") > 0; });
  }

  Scratch scratch_;
  std::optional<AdminProcess> process_;
};

TEST_F(RemoteVerbsTest, GetShowsTablesAndJson) {
  ASSERT_TRUE(delivers());
  const auto table = ask({"get", "pipelines"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, StartsWith("PIPELINE  STATE"));
  EXPECT_THAT(table.out, HasSubstr("\norders    running"));
  EXPECT_THAT(ask({"get", "servers"}).out, HasSubstr("\ndb      database  healthy"));
  EXPECT_THAT(ask({"get", "pipelines", "--json"}).out,
              StartsWith("[\n  {\n    \"name\": \"orders\""));
  EXPECT_EQ(ask({"get", "transactions", "--json"}).out, "[]\n");
  EXPECT_EQ(ask({"get", "everything"}).code, 64);
}

TEST_F(RemoteVerbsTest, GetWatchesUntilItIsStopped) {
  auto launch = millrace_launch({"get", "pipelines", "--watch", "--json", "--every", "10ms",
                                 "--admin-address", process_->options().address});
  Process watch{launch};
  ASSERT_TRUE(watch.wait_for("]\n[")) << watch.err();
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait().code, -SIGTERM);
}

TEST_F(RemoteVerbsTest, TapPrintsWhatLeavesAStep) {
  const auto done = ask({"tap", "orders/in", "--count", "2"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, MatchesRegex("\\{.*\\}\n\\{.*\\}\n"));
  EXPECT_EQ(ask({"tap", "orders"}).code, 64);
  const auto nobody = ask({"tap", "orders/nobody"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("there is no step 'nobody'"));
}

TEST_F(RemoteVerbsTest, TopShowsStepsAndPools) {
  ASSERT_TRUE(delivers());
  const auto done = ask({"top", "--count", "2", "--every", "50ms"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("orders"));
  EXPECT_THAT(done.out, HasSubstr("\n  check"));
  EXPECT_THAT(done.out, HasSubstr("SERVER"));
}

TEST_F(RemoteVerbsTest, SendTellsTheOutcomeOfEachRecord) {
  const auto one = ask({"send", "orders"}, R"({"id": 1})");
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.out, "delivered\n");
  EXPECT_EQ(ask({"send", "orders"}, R"({"id": 7})").out, "filtered\n");
  const auto file = scratch_.write("m.jsonl", "{\"id\": 1}\n\n{\"id\": 7}\n");
  EXPECT_EQ(ask({"send", "orders", "-f", file, "--lines"}).out, "2 of 2 records done\n");
  const auto bad = ask({"send", "orders"}, "{");
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err, HasSubstr("stdin is no JSON"));
  const auto nobody = ask({"send", "nobody"}, "{}");
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("there is no pipeline 'nobody'"));
}

TEST_F(RemoteVerbsTest, ReplaySendsDeadLettersThroughTheirPipelineAgain) {
  EXPECT_EQ(ask({"send", "orders"}, R"({"id": 13, "n": 1.10})").out, "dead-lettered\n");
  const auto dead = scratch_.path("dead.jsonl");
  ASSERT_TRUE(AdminProcess::eventually(
    [&] { return scratch_.read("dead.jsonl").find('\n') != std::string::npos; }));
  const auto letter = scratch_.read("dead.jsonl");
  EXPECT_THAT(letter, HasSubstr(R"("payload":{"id":13,"n":1.10})"));
  EXPECT_THAT(letter, HasSubstr(R"("step":"check")"));
  EXPECT_THAT(letter, HasSubstr(R"("attempts":1)"));
  EXPECT_THAT(letter, HasSubstr(R"("pipeline":"orders")"));
  EXPECT_THAT(letter, HasSubstr(R"("time":"20)"));
  // It fails again, and so there is another letter.
  const auto again = ask({"replay", "orders", dead});
  EXPECT_EQ(again.out, "dead-lettered\n") << again.err;
  EXPECT_TRUE(AdminProcess::eventually([&] {
    const auto all = scratch_.read("dead.jsonl");
    return std::count(all.begin(), all.end(), '\n') == 2;
  }));
  const auto other = scratch_.write("other.jsonl", "{\"id\": 1}\n");
  const auto refused = ask({"replay", "orders", other});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("line 1 of '" + other + "' is no dead letter"));
}

TEST_F(RemoteVerbsTest, PauseResumeAndReload) {
  EXPECT_EQ(ask({"pause", "orders"}).out, "orders paused\n");
  EXPECT_TRUE(AdminProcess::eventually([&] {
    return ask({"get", "pipelines"}).out.find("paused") != std::string::npos;
  }));
  EXPECT_EQ(ask({"resume", "orders"}).out, "orders resumed\n");
  EXPECT_EQ(ask({"reload"}).out, "kept: orders\nreplaced: none\nstarted: none\nstopped: none\n");
  scratch_.write("p.yaml", "name: x\nsteps: [{type: tmer}]\n");
  const auto refused = ask({"reload"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("nothing was changed"));
  EXPECT_THAT(refused.err, HasSubstr("did you mean 'timer'?"));
}

TEST(RemoteVerbsAloneTest, SayWhereNobodyAnswers) {
  const auto done = millrace({"get", "pipelines", "--admin-address", "127.0.0.1:1"});
  EXPECT_EQ(done.code, 69);
  EXPECT_THAT(done.err, HasSubstr("no answer from the admin API at 127.0.0.1:1"));
  EXPECT_THAT(done.err, HasSubstr("is `millrace run` running there?"));
  EXPECT_THAT(done.out, IsEmpty());
}

}  // namespace
}  // namespace millrace::test
