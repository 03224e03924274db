// A secret that is planted wherever a file may hold one must be seen nowhere: not on stdout, not in
// the log at any level, not in a dead letter. Each case reaches what could have shown it.
#include "tests/runtime/millrace.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace millrace::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr const char* planted = "pl4nted-s3cret";

class SecretTest : public testing::Test {
protected:
  std::string file(const std::string& text) const { return scratch_.write("trial.yaml", text); }

  /// Runs `file` at every level and in both formats. @returns all that was said.
  std::string run(const std::string& file, int code, const std::vector<std::string>& flags = {}) {
    std::string all;
    for (const auto* level : {"trace", "debug", "info", "warn", "error", "off"}) {
      for (const auto* format : {"text", "json"}) {
        std::vector<std::string> line{"run", "--once",       "--log-level",
                                      level, "--log-format", format};
        line.insert(line.end(), flags.begin(), flags.end());
        line.push_back(file);
        const auto done = launch(line);
        EXPECT_EQ(done.code, code) << done.err;
        all += done.out + done.err;
      }
    }
    return all;
  }

  Finished launch(const std::vector<std::string>& line) {
    auto launch = millrace_launch(line);
    launch.directory = scratch_.path({});
    launch.environment = environment_;
    launch.environment.emplace_back("PLANTED", planted);
    return run_process(launch);
  }

  /// A server of the test's PostgreSQL; other keys may follow.
  static std::string postgres(const std::string& keys = {}) {
    const auto* server = PostgresServer::shared();
    return "servers:\n  db: {driver: postgres, host: \"" + server->host()
           + "\", port: " + std::to_string(server->port()) + ", dbname: " + server->dbname()
           + ", retry: {attempts: 1}, " + (keys.empty() ? "user: " + server->user() : keys) + "}\n";
  }

  static constexpr const char* one_record = "  - {name: in, type: generate, count: 1}\n";

  Scratch scratch_;
  std::vector<std::pair<std::string, std::string>> environment_;
};

class PostgresSecretTest : public SecretTest {
protected:
  void SetUp() override {
    if (PostgresServer::shared() == nullptr)
      GTEST_SKIP() << PostgresServer::why_not();
  }
};

TEST_F(PostgresSecretTest, IsNotInTheErrorOfAStatementThatRefusesIt) {
  const auto said = run(
    file("name: trial\n" + postgres() + "steps:\n" + one_record
         + "  - {name: q, type: database, operation: executeSql, server: db, query: 'SELECT "
           "CAST(CAST(? AS text) AS int)', parameters: ['${ENV:PLANTED}']}\n"),
    75);
  EXPECT_THAT(said, HasSubstr("22P02"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

TEST_F(PostgresSecretTest, IsNotInTheErrorOfAStatementWhoseTextItIs) {
  const std::string table = "\"SELECT * FROM \\\"${ENV:PLANTED}\\\"\"";
  for (const auto& step :
       {"operation: executeSql, query: " + table + ", parameters: []",
        "operation: executeBatch, statements: [{query: " + table + ", parameters: []}]",
        std::string{"operation: select, table: '${ENV:PLANTED}'"},
        "operation: transaction, steps: [{type: database, operation: executeSql, server: db, "
        "query: "
          + table + ", parameters: []}]"}) {
    const auto said = run(file("name: trial\n" + postgres() + "steps:\n" + one_record
                               + "  - {name: q, type: database, server: db, " + step + "}\n"),
                          75);
    EXPECT_THAT(said, HasSubstr("42P01")) << step;
    EXPECT_THAT(said, Not(HasSubstr("pl4nted"))) << step;
  }
  const auto said = run(
    file("name: trial\n"
         + postgres("echo: true, user: " + PostgresServer::shared()->user() + ", init: " + table)
         + "steps:\n" + one_record + "  - {name: q, type: database, operation: dbConnection}\n"),
    1);
  EXPECT_THAT(said, HasSubstr("42P01"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

TEST_F(PostgresSecretTest, IsNotInADeadLetter) {
  const auto said = run(
    file("name: trial\n" + postgres() + "steps:\n" + one_record
         + "  - {name: q, type: database, operation: executeSql, server: db, query: 'SELECT "
           "CAST(CAST(? AS text) AS int)', parameters: ['${ENV:PLANTED}'], onError: {then: "
           "deadLetter}}\n"
           "deadLetter: {type: file, operation: write, path: dead.jsonl, mode: append}\n"),
    0);
  EXPECT_THAT(scratch_.read("dead.jsonl"), HasSubstr("22P02"));
  EXPECT_THAT(scratch_.read("dead.jsonl"), Not(HasSubstr("pl4nted")));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

// The user that the server does not know is named in its message.
TEST_F(PostgresSecretTest, IsNotInTheErrorOfALoginThatIsRefused) {
  const std::string steps =
    "steps:\n" + std::string{one_record}
    + "  - {name: q, type: database, operation: dbConnection, server: db, timeout: 2s}\n";
  const std::string scheme =
    "{s: {type: basic, username: '${ENV:PLANTED}', password: '${ENV:PLANTED}'}}";
  for (const auto& text : {postgres("user: nobody, securitySchemes: " + scheme),
                           postgres("user: nobody") + "securitySchemes: " + scheme + "\n",
                           postgres("user: '${ENV:PLANTED}', password: '${FILE:token}'")}) {
    scratch_.write("token", std::string{planted} + "\n");
    const auto said = run(file(std::string{"name: trial\n"}.append(text).append(steps)), 75);
    EXPECT_THAT(said, HasSubstr("refuses the user or the password")) << text;
    EXPECT_THAT(said, Not(HasSubstr("pl4nted"))) << text;
  }
}

TEST_F(PostgresSecretTest, IsNotShownWhereASecretsFileOrTheEnvironmentSaysIt) {
  const auto trial = file("name: trial\n" + postgres("user: nobody") + "steps:\n" + one_record
                          + "  - {name: q, type: database, operation: dbConnection, server: db, "
                            "timeout: 2s}\n");
  environment_ = {{"MILLRACE_SERVERS__DB__DBNAME", planted},
                  {"MILLRACE_SERVERS__DB__USER", PostgresServer::shared()->user()}};
  auto said = run(trial, 75);
  EXPECT_THAT(said, HasSubstr("the server has no such database"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
  environment_.clear();
  const auto path = scratch_.write(".secrets.yaml", "servers: {db: {user: " + std::string{planted}
                                                      + ", password: " + planted + "}}\n");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  said = run(trial, 75);
  EXPECT_THAT(said, HasSubstr("refuses the user or the password"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

TEST_F(SecretTest, IsNotInTheErrorOfAServerThatIsNotThere) {
  // Nobody listens on port 1.
  environment_ = {{"PLANTED_URL", "postgresql://ada:pl4nted-s3cret@127.0.0.1:1/pl4nted"}};
  const auto said = run(
    file("name: trial\nservers:\n"
         "  db: {protocol: database, url: '${ENV:PLANTED_URL}', retry: {attempts: 1}}\n"
         "steps:\n"
         + std::string{one_record}
         + "  - {name: q, type: database, operation: dbConnection, server: db, timeout: 1s}\n"),
    75);
  EXPECT_THAT(said, HasSubstr("Connection refused"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

TEST_F(SecretTest, IsNotInTheErrorOfADatabaseFile) {
  const auto said = run(
    file("name: trial\nservers: {db: {driver: sqlite, dbname: '/nowhere/${ENV:PLANTED}'}}\nsteps:\n"
         + std::string{one_record}
         + "  - {name: q, type: database, operation: dbConnection, server: db, timeout: 1s}\n"),
    75);
  EXPECT_THAT(said, HasSubstr("cannot open the database file <secret>"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

TEST_F(SecretTest, IsNotInTheErrorsOfFiles) {
  const std::string sink = "  - {name: out, type: drop}\n";
  for (const auto& [steps, code] : std::vector<std::pair<std::string, int>>{
         {"  - {name: in, type: file, operation: read, path: '${ENV:PLANTED}'}\n" + sink, 74},
         {"  - {name: in, type: file, operation: read, path: '${ENV:PLANTED}/*.x'}\n" + sink, 74},
         {one_record
            + std::string{"  - {name: out, type: file, operation: write, path: "
                          "'${ENV:PLANTED}/x.jsonl'}\n"},
          74},
         {one_record
            + std::string{"  - {name: out, type: file, operation: write, path: "
                          "'${ENV:PLANTED}/${$.in.n}.jsonl'}\n"},
          75}}) {
    const auto said = run(file("name: trial\nsteps:\n" + steps), code);
    EXPECT_THAT(said, HasSubstr("<secret>")) << steps;
    EXPECT_THAT(said, Not(HasSubstr("pl4nted"))) << steps;
  }
  // A line that is no JSON is located by the name of its file.
  scratch_.write(planted, "{oops\n");
  const auto said = run(file("name: trial\nsteps:\n  - {name: in, type: file, operation: read, "
                             "path: '${ENV:PLANTED}'}\n"
                             + sink),
                        75);
  EXPECT_THAT(said, HasSubstr("<secret>:1"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

TEST_F(SecretTest, IsNotInWhatOtherVerbsPrint) {
  scratch_.write("token", std::string{planted} + "\n");
  const auto trial = file(
    "name: trial\ndescription: '${ENV:PLANTED}'\n"
    "servers:\n  db: {url: 'postgresql://ada@db/shop', password: '${FILE:token}', description: "
    "'${ENV:PLANTED}'}\n"
    "steps:\n  - {name: in, type: generate, set: {token: '${ENV:PLANTED}'}}\n"
    "  - {name: f, type: filter, when: \"$.in.token == '${ENV:PLANTED}'\"}\n"
    "  - {name: e, type: foreach, in: \"$.in['${ENV:PLANTED}']\", steps: [{type: delay, for: "
    "1s}]}\n"
    "  - {name: q, type: database, operation: executeSql, server: db, query: \"SELECT "
    "'${ENV:PLANTED}'\", parameters: []}\n"
    "  - {name: s, type: database, operation: select, server: db, table: '${ENV:PLANTED}'}\n"
    "  - {name: out, type: stdout, value: \"env('PLANTED')\"}\n");
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"validate", trial},
                                             {"explain", trial},
                                             {"graph", trial},
                                             {"graph", "--format", "dot", trial},
                                             {"validate", "--set", "servers.db.nonsense=1", trial},
                                             {"list", "connectors"},
                                             {"list", "functions"},
                                             {"list", "options"},
                                             {"schema"}}) {
    const auto done = launch(line);
    EXPECT_THAT(done.out + done.err, Not(HasSubstr("pl4nted"))) << line.front();
  }
  EXPECT_THAT(launch({"explain", trial}).out, HasSubstr("<secret>"));
}

TEST_F(SecretTest, ATextThatFailsToBecomeANumberIsNotShown) {
  const auto said = run(file("name: trial\nsteps:\n" + std::string{one_record}
                             + "  - {name: bad, type: transform, set: {n: "
                               "\"number(concat('${ENV:PLANTED}', $.in.n))\"}}\n"),
                        75);
  EXPECT_THAT(said, HasSubstr("number()"));
  EXPECT_THAT(said, Not(HasSubstr("pl4nted")));
}

TEST_F(SecretTest, MayNotStandInALogLine) {
  const auto trial = file("name: trial\nsteps:\n" + std::string{one_record}
                          + "  - {type: log, message: \"token ${ENV:PLANTED}\"}\n");
  const auto done = launch({"run", "--once", trial});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("trial.yaml:4:"));
  EXPECT_THAT(done.err, HasSubstr("'message' is printed"));
}

}  // namespace
}  // namespace millrace::test
