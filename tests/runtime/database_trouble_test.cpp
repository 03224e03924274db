// Databases that are locked, are none, are down or go away while a pipeline runs: each is a located
// error by the step's policy, and the rest of the input is unharmed.
#include "tests/runtime/database_run.hpp"

#include <algorithm>
#include <csignal>

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

/// Writes what fails as {record, error} to stdout.
constexpr const char* dead_letters_to_stdout = "deadLetter: {type: stdout}\n";

class SqliteTroubleTest : public DatabaseRun {
protected:
  void SetUp() override { use_sqlite(); }

  static std::string insert(const std::string& options) {
    return "  - {name: q, type: database, operation: insert, table: t, values: {id: \"$.in.id\"}, "
           "when: \"$.in.ask\", "
           + options
           + "}\n"
             "  - {name: out, type: stdout, value: \"$.in.id\"}\n";
  }

  static constexpr const char* three = "{\"id\":1}\n{\"id\":2,\"ask\":true}\n{\"id\":3}\n";
};

TEST_F(SqliteTroubleTest, AFileThatSomebodyElseHasLockedIsAnErrorOfTheRecord) {
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  auto holder = launch(
    file("  - name: hold\n    type: database\n    operation: transaction\n"
         "    steps:\n"
         "      - {name: w, type: database, operation: insert, table: t, values: "
         "{id: 99}}\n"
         "      - {type: log, level: warn, message: locked}\n"
         "      - {type: delay, for: 1h}\n"),
    "{}\n");
  holder.arguments.erase(holder.arguments.begin() + 2);  // --once: it must not drain
  holder.keep_input_open = true;
  Process holding{holder};
  ASSERT_TRUE(holding.wait_for("locked")) << holding.err();

  const auto done = run_once(insert("onError: {match: [timeout], then: deadLetter}"), three,
                             servers("retry: {attempts: 1}", "?busy_timeout=50")
                               + dead_letters_to_stdout);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("1\n"), HasSubstr("3\n"), HasSubstr("\"55P03\""),
                              HasSubstr("\"step\":\"q\""), HasSubstr("\"id\":2")));
  EXPECT_EQ(lines(done.out), 3U) << done.out;
  holding.signal(SIGKILL);
  holding.wait();
  const auto after = run_once(insert("onError: {then: skip}"), three);
  EXPECT_EQ(after.out, "1\n2\n3\n") << after.err;
  EXPECT_EQ(rows("SELECT id FROM t"), R"([{"id":2}])");
}

TEST_F(SqliteTroubleTest, AFileThatIsNoDatabaseIsAnErrorOfTheRecord) {
  scratch_.write("trial.db", std::string(200, 'x') + "this is no database");
  const auto done = run_once(insert("onError: {match: [XX001], then: deadLetter}"), three,
                             servers() + dead_letters_to_stdout);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("1\n"), HasSubstr("3\n"), HasSubstr("\"XX001\""),
                              HasSubstr("trial.db"), HasSubstr("\"id\":2")));
  EXPECT_EQ(lines(done.out), 3U) << done.out;
  EXPECT_THAT(scratch_.read("trial.db"), HasSubstr("this is no database"));
}

TEST_F(SqliteTroubleTest, AndStopsThePipelineWhereNothingElseIsSaid) {
  scratch_.write("trial.db", std::string(200, 'x'));
  const auto done = run_once(insert("timeout: 30s"), three);
  EXPECT_EQ(done.code, 75);
  EXPECT_THAT(done.err, AllOf(HasSubstr("pipeline failed"), HasSubstr("trial"), HasSubstr("XX001"),
                              HasSubstr("no SQLite database")));
}

class PostgresTroubleTest : public DatabaseRun {
protected:
  void SetUp() override {
    if (PostgresServer::shared() == nullptr)
      GTEST_SKIP() << PostgresServer::why_not();
  }

  static std::string steps(const std::string& policy) {
    return "  - {name: q, type: database, operation: insert, table: t, values: {id: \"$.in.id\"}, "
           "when: \"$.in.ask\""
           + policy
           + "}\n"
             "  - {name: out, type: stdout, value: \"$.in.id\"}\n";
  }

  // The server runs as another user where we are root, and cannot enter the test's own directory.
  static std::string own_folder() {
    static int count = 0;
    return "/tmp/millrace-pg-run-" + std::to_string(getpid()) + "-" + std::to_string(++count);
  }

  static constexpr const char* to_dead_letters =
    ", onError: {match: [connection], then: deadLetter}";
  // Nobody listens on port 1.
  static constexpr const char* nowhere =
    "servers: {db: {url: \"postgresql://127.0.0.1:1/shop\", retry: {attempts: 1}}}\n";
};

TEST_F(PostgresTroubleTest, AServerThatIsDownAtTheStartFailsTheRecordsThatNeedIt) {
  const auto done = run_once(steps(to_dead_letters),
                             "{\"id\":1}\n{\"id\":2,\"ask\":true}\n{\"id\":3}\n",
                             nowhere + std::string{dead_letters_to_stdout});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("1\n"), HasSubstr("3\n"), HasSubstr("\"08001\""),
                              HasSubstr("\"step\":\"q\""), HasSubstr("\"id\":2")));
  EXPECT_EQ(lines(done.out), 3U) << done.out;
  EXPECT_THAT(done.err, AllOf(HasSubstr("database unreachable"), HasSubstr("db")));
}

TEST_F(PostgresTroubleTest, AndStopsThePipelineWhereNothingElseIsSaid) {
  const auto done = run_once(steps(", onError: {retry: {attempts: 2, base: 1ms}, then: stop}"),
                             "{\"id\":2,\"ask\":true}\n", nowhere);
  EXPECT_EQ(done.code, 75);
  EXPECT_THAT(done.err, AllOf(HasSubstr("pipeline failed"), HasSubstr("08001"),
                              HasSubstr("Connection refused")));
}

TEST_F(PostgresTroubleTest, AServerThatStopsInTheMiddleLosesNoRecord) {
  PostgresServer server{own_folder()};
  use_postgres(server);
  make("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const auto path = file(steps(to_dead_letters),
                         servers("retry: {attempts: 1}") + dead_letters_to_stdout);
  auto ready = launch(path, {});
  ready.arguments = {ready.arguments[0], "run", "--log-level", "info", path};
  ready.keep_input_open = true;
  Process process{ready};
  process.write("{\"id\":1,\"ask\":true}\n");
  ASSERT_TRUE(process.wait_for("1\n")) << process.err();
  ASSERT_TRUE(server.stop());
  process.write("{\"id\":2,\"ask\":true}\n{\"id\":3}\n");
  ASSERT_TRUE(process.wait_for("\"kind\":\"connection\"")) << process.out() << process.err();
  ASSERT_TRUE(server.start());
  ASSERT_TRUE(process.wait_for("database reachable again")) << process.err();
  process.write("{\"id\":4,\"ask\":true}\n");
  process.close_input();
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(lines(done.out), 4U) << done.out;
  EXPECT_THAT(done.out,
              AllOf(HasSubstr("1\n"), HasSubstr("\"id\":2"), HasSubstr("3\n"), HasSubstr("4\n")));
  EXPECT_THAT(done.err, HasSubstr("database unreachable"));
  EXPECT_EQ(rows("SELECT id FROM t ORDER BY id"), R"([{"id":1},{"id":4}])");
}

TEST_F(PostgresTroubleTest, ABlockWhoseServerStopsRunsAgainWhenItIsBack) {
  PostgresServer server{own_folder()};
  use_postgres(server);
  make("CREATE TABLE t (id INTEGER)");
  const auto path = file("  - name: block\n    type: database\n    operation: transaction\n"
                         "    retry: {attempts: 1000, base: 10ms, cap: 50ms}\n    steps:\n"
                         "      - {name: w, type: database, operation: insert, table: t, values: "
                         "{id: \"$.in\"}}\n"
                         "      - {type: log, level: warn, message: \"inside ${$.in}\"}\n"
                         "      - {type: delay, for: 200ms}\n"
                         "      - {name: x, type: database, operation: executeSql, query: \"SELECT "
                         "1\", parameters: []}\n"
                         "  - {name: out, type: stdout, value: \"$.in\"}\n");
  auto ready = launch(path, "7\n8\n");
  Process process{ready};
  ASSERT_TRUE(process.wait_for("inside 7")) << process.err();
  ASSERT_TRUE(server.stop());
  ASSERT_TRUE(server.start());
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "7\n8\n");
  EXPECT_EQ(rows("SELECT id FROM t ORDER BY id"), R"([{"id":7},{"id":8}])");
}

}  // namespace
}  // namespace millrace::test
