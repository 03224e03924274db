// DatabaseRun: pipelines from YAML on a real database, run by the millrace executable; each test
// has an empty database of its own.
//
//   const auto done = run_once("  - {name: q, type: database, …}\n", "{\"id\":1}\n");
//   EXPECT_EQ(rows("SELECT id FROM orders"), R"([{"id":1}])");
#pragma once

#include "tests/runtime/millrace.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace millrace::test {

class DatabaseRun : public testing::Test {
protected:
  void use_sqlite() { url_ = "sqlite:///" + scratch_.path("trial.db"); }

  /// A schema of the server that nobody else uses. Skips the test where there is no server.
  void use_postgres() {
    const auto* server = PostgresServer::shared();
    if (server == nullptr)
      GTEST_SKIP() << PostgresServer::why_not();
    use_postgres(*server);
  }

  void use_postgres(const PostgresServer& server) {
    static int count = 0;
    schema_ = "run_" + std::to_string(getpid()) + "_" + std::to_string(++count);
    url_ = url(server);
    make("CREATE SCHEMA " + schema_);
  }

  /// What is committed stays, also where a test kills the server.
  std::string url(const PostgresServer& server) const {
    return "postgresql:///" + server.dbname() + "?host=" + server.host()
           + "&port=" + std::to_string(server.port()) + "&user=" + server.user()
           + "&options=-c%20synchronous_commit%3Don%20-c%20search_path%3D" + schema_;
  }

  /// The database under the name `db`; `keys` are more of its options, `query` of its url.
  std::string servers(const std::string& keys = {}, const std::string& query = {}) const {
    return "servers: {db: {url: \"" + url_ + query + "\"" + (keys.empty() ? "" : ", " + keys)
           + "}}\n";
  }

  /// A file whose pipeline reads stdin as `in` and goes on with these steps; `more` are other keys.
  std::string file(const std::string& steps, const std::string& more = {}) const {
    return scratch_.write("trial.yaml", "name: trial\n"
                                          + (more.starts_with("servers:") ? "" : servers()) + more
                                          + "steps:\n  - {name: in, type: stdin}\n" + steps);
  }

  Launch launch(const std::string& file, std::string input) const {
    auto launch = millrace_launch({"run", "--once", "--log-level", "warn", file}, std::move(input));
    launch.directory = scratch_.path({});
    return launch;
  }

  Finished run_once(const std::string& steps, std::string input, const std::string& more = {}) {
    return run_process(launch(file(steps, more), std::move(input)));
  }

  /// Runs SQL by itself.
  void make(const std::string& sql) {
    const auto done = run_sql(sql);
    ASSERT_EQ(done.code, 0) << sql << "\n" << done.err;
  }

  /// The rows of a query as JSON.
  std::string rows(const std::string& sql) {
    const auto done = run_sql(sql);
    EXPECT_EQ(done.code, 0) << sql << "\n" << done.err;
    return done.out.substr(0, done.out.find('\n'));
  }

  Scratch scratch_;

private:
  Finished run_sql(const std::string& sql) {
    std::string block;
    for (const char c : sql)
      block += c == '\n' ? "\n        " : std::string{c};
    return run_process(
      launch(scratch_.write("sql.yaml",
                            "name: sql\n" + servers()
                              + "steps:\n  - {name: in, type: stdin}\n"
                                "  - name: q\n    type: database\n    operation: executeSql\n"
                                "    parameters: []\n    query: |\n        "
                              + block + "\n  - {name: out, type: stdout, value: \"$.q.rows\"}\n"),
             "{}\n"));
  }

  std::string schema_;
  std::string url_;
};

/// The same on each driver.
class EachDatabaseRun : public DatabaseRun, public testing::WithParamInterface<std::string> {
protected:
  void SetUp() override {
    if (GetParam() == "sqlite")
      use_sqlite();
    else
      use_postgres();
  }

  bool is_postgres() const { return GetParam() == "postgres"; }
};

inline std::string database_name(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace millrace::test
