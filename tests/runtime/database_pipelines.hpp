// Pipelines that use a database, run as a user runs them: millrace on a file, over PostgreSQL or
// SQLite, with an empty schema or file for each test.
#pragma once

#include "tests/runtime/millrace.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <unistd.h>
#include <utility>

namespace millrace::test {

class DatabasePipelineTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (GetParam() == "sqlite") {
      url_ = "sqlite:///" + scratch_.path("data.db");
      return;
    }
    const auto* server = PostgresServer::shared();
    if (server == nullptr)
      GTEST_SKIP() << PostgresServer::why_not();
    const std::string schema = "pipelines_" + std::to_string(getpid());
    const std::string base = "postgresql://" + server->user() + "@/" + server->dbname() + "?host="
                             + server->host() + "&port=" + std::to_string(server->port());
    url_ = base;
    sql("DROP SCHEMA IF EXISTS " + schema + " CASCADE");
    sql("CREATE SCHEMA " + schema);
    url_ = base + "&options=-csearch_path%3D" + schema;
  }

  bool is_postgres() const { return GetParam() == "postgres"; }

  /// A launch of `millrace run` of these steps, with `db` as the only server.
  Launch launch(const std::string& steps, std::vector<std::string> flags = {"--once"}) {
    const auto file = scratch_.write("pipeline-" + std::to_string(++files_) + ".yaml",
                                     "servers:\n  db: {protocol: database, url: \"" + url_
                                       + "\", pool: {max_size: 4}}\nname: trial\n" + steps);
    flags.insert(flags.begin(), {"run", file});
    auto made = millrace_launch(std::move(flags));
    made.directory = scratch_.path({});
    return made;
  }

  Finished run(const std::string& steps, std::string input = {}) {
    auto made = launch(steps);
    made.input = std::move(input);
    return run_process(made);
  }

  /// Runs one statement; its rows as JSON lines.
  std::string sql(const std::string& statement) {
    const auto done = run("steps:\n  - {type: generate, count: 1}\n"
                          "  - {name: result, type: database, operation: executeSql, query: \""
                          + statement
                          + "\", parameters: []}\n"
                            "  - {name: each, type: foreach, in: \"$.result.rows\", as: row, "
                            "steps: [{name: one, type: transform, from: \"$.row\"}]}\n"
                            "  - {type: stdout}\n");
    EXPECT_EQ(done.code, 0) << statement << "\n" << done.err;
    return done.out;
  }

  Scratch scratch_;
  std::string url_;

private:
  int files_ = 0;
};

}  // namespace millrace::test
