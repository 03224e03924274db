// The engine is killed in the middle of transactions: each of them happened wholly or not at all,
// and the server is rid of the dead engine's connections.
#include "tests/runtime/millrace.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <thread>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;

/// As one group in one round trip, or with a session that stays open between the statements.
class KilledEngineTest : public testing::TestWithParam<const char*> {
protected:
  void SetUp() override {
    const auto* server = PostgresServer::shared();
    if (server == nullptr)
      GTEST_SKIP() << PostgresServer::why_not();
    url_ = "host='" + server->host() + "' port=" + std::to_string(server->port())
           + " user=" + server->user() + " dbname=" + server->dbname();
    if (std::system("psql --version >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "there is no psql";
    ask("DROP TABLE IF EXISTS debits, credits");
    ask("CREATE TABLE debits (id BIGINT PRIMARY KEY); CREATE TABLE credits (id BIGINT PRIMARY "
        "KEY)");
  }

  void TearDown() override {
    if (!url_.empty())
      ask("DROP TABLE IF EXISTS debits, credits");
  }

  /// By psql, as somebody who knows nothing of the engine. @returns the first value.
  std::string ask(const std::string& sql) {
    const auto done = run_process(
      {.arguments = {"/usr/bin/psql", "-qAtX", "-d", url_, "-c", schema_ + sql}});
    EXPECT_EQ(done.code, 0) << done.err;
    return done.out.substr(0, done.out.find('\n'));
  }

  const std::string name_ = "killed_" + std::to_string(getpid());
  const std::string schema_ = "SET client_min_messages = error; CREATE SCHEMA IF NOT EXISTS "
                              + name_ + "; SET search_path = " + name_ + "; ";
  std::string url_;
  Scratch scratch_;
};

TEST_P(KilledEngineTest, LeavesNoHalfOfATransactionAndNoConnection) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random{seed};
  const auto file = scratch_.write(
    "transfers.yaml",
    "name: transfers\n"
    "servers:\n"
    "  bank: {protocol: database, url: \"${ENV:BANK}\", application_name: "
      + name_
      + "}\n"
        "steps:\n"
        "  - {name: in, type: generate, count: 1000000}\n"
        "  - name: move\n"
        "    type: database\n"
        "    operation: transaction\n"
        "    server: bank\n"
        "    steps:\n"
        "      - {type: database, operation: executeSql, server: bank, query: "
        "'INSERT INTO debits SELECT "
        "coalesce(max(id), 0) + 1 FROM debits'}\n"
      + std::string{GetParam() == std::string_view{"session"} ? "      - {type: delay, for: 3ms}\n"
                                                              : ""}
      + ""
        "      - {type: database, operation: executeSql, server: bank, query: "
        "'INSERT INTO credits SELECT "
        "coalesce(max(id), 0) + 1 FROM credits'}\n"
        "  - {type: drop}\n");
  for (int round = 0; round < 5; ++round) {
    const auto before = ask("SELECT count(*) FROM debits");
    auto launch = millrace_launch({"run", file});
    launch.environment = {{"BANK", url_ + " options='-c search_path=" + name_ + "'"}};
    Process engine{launch};
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (ask("SELECT count(*) FROM debits") == before
           && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    ASSERT_NE(ask("SELECT count(*) FROM debits"), before) << engine.err();
    // Any moment will do: it waits for nothing.
    std::this_thread::sleep_for(std::chrono::milliseconds{random() % 30});
    engine.signal(SIGKILL);
    engine.wait();

    while (ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name_ + "'")
             != "0"
           && std::chrono::steady_clock::now() < deadline + 10s)
      std::this_thread::yield();
    EXPECT_EQ(ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name_ + "'"),
              "0");
    EXPECT_EQ(ask("SELECT (SELECT count(*) FROM debits) = (SELECT count(*) FROM credits)"), "t");
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, KilledEngineTest, testing::Values("group", "session"),
                         [](const auto& parameter) { return std::string{parameter.param}; });

}  // namespace
}  // namespace millrace::test
