// tests/golden/programs/*.yaml as `explain` and `graph` show them. MILLRACE_UPDATE_GOLDEN=1 writes
// the answers anew.
#include "dsl/document/load_support.hpp"
#include "dsl/explain.hpp"
#include "dsl/graph.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace::dsl {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path{MILLRACE_SOURCE_DIR} / "tests/golden/programs";

std::string content(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::shared_ptr<const Program> everything() {
  test::FakeEnvironment world;
  world.values = {{"SECRET", "SELECT 1 AS pl4nted"}};
  auto loaded = test::load_text(content(folder / "everything.yaml"), world);
  EXPECT_EQ(loaded.diagnostics.to_string(), "");
  return loaded.program;
}

void expect_golden(const std::string& text, const std::string& name) {
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("pl4nted")));
  if (std::getenv("MILLRACE_UPDATE_GOLDEN") != nullptr)
    std::ofstream{folder / name, std::ios::binary} << text;
  EXPECT_EQ(text, content(folder / name));
}

TEST(ExplainTest, SaysWhatAPipelineReallyDoes) {
  const auto program = everything();
  ASSERT_NE(program, nullptr);
  expect_golden(explain(*program), "everything.explain.txt");
}

// What the catalog has to say comes when it runs: metrics and the pool's figures tell that.
TEST(ExplainTest, SaysHowStatementsThatWaitTogetherRun) {
  const auto program = test::program_of(R"yaml(
servers:
  db: {protocol: database, url: "postgresql://db/shop"}
  bounced: {protocol: database, url: "postgresql://db:6432/shop", pool_mode: transaction}
  alone: {protocol: database, url: "postgresql://db/shop", batching: off}
  file: {protocol: database, url: "sqlite:///a.db"}
name: p
steps:
  - {name: in, type: file, operation: read, path: a}
  - {name: read, type: database, operation: executeSql, server: db, parameters: ["$.in.id"],
     query: "SELECT name FROM t WHERE id = ?"}
  - {name: write, type: database, operation: executeSql, server: db, parameters: ["$.in.id"],
     query: "INSERT INTO t (id) VALUES (?)"}
  - {name: change, type: database, operation: executeSql, server: db, parameters: ["$.in.id"],
     query: "UPDATE t SET n = n + 1 WHERE id = ?"}
  - {name: named, type: database, operation: executeSql, server: db, parameters: ["$.in.id"],
     query: "SELECT ?::int FROM t"}
  - {name: lock, type: database, operation: executeSql, server: db, parameters: ["$.in.id"],
     query: "SELECT id FROM t WHERE id = ? FOR UPDATE"}
  - {name: call, type: database, operation: executeSql, server: db, parameters: [],
     query: "CALL tidy()"}
  - {name: single, type: database, operation: executeSql, server: db, parameters: ["$.in.id"],
     query: "SELECT name FROM t WHERE id = ?", batching: off}
  - {name: other, type: database, operation: executeSql, server: alone, parameters: ["$.in.id"],
     query: "SELECT name FROM t WHERE id = ?"}
  - {name: behind, type: database, operation: executeSql, server: bounced, parameters: ["$.in.id"],
     query: "SELECT name FROM t WHERE id = ?"}
  - {name: lite, type: database, operation: executeSql, server: file, parameters: ["$.in.id"],
     query: "SELECT name FROM t WHERE id = ?"}
  - {type: drop}
)yaml");
  const auto text = explain(*program);
  for (const std::string line :
       {"statements that wait together run:",
        "read: in set form, if the catalog allows it and it is quicker",
        "write: in set form, if the catalog allows it and it is quicker",
        "change: under a shared Sync, if the catalog allows it; not in set form: UPDATE does not "
        "tell which set changed how many rows",
        "named: under a shared Sync, if the catalog allows it; not in set form: a parameter is a "
        "column without a name of its own; give it one with AS",
        "lock: alone on a connection: it locks rows",
        "call: alone on a connection: CALL is not joined with others",
        "single: each on its own: batching is off", "other: each on its own: batching is off",
        "behind: each on its own: the server is behind a bouncer"})
    EXPECT_THAT(text, testing::HasSubstr(line + "\n"));
  EXPECT_THAT(text, testing::Not(testing::ContainsRegex("lite: (each|in|under|alone)")));
}

TEST(GraphTest, DrawsMermaid) {
  const auto program = everything();
  ASSERT_NE(program, nullptr);
  expect_golden(to_mermaid(*program), "everything.mmd");
}

TEST(GraphTest, DrawsDot) {
  const auto program = everything();
  ASSERT_NE(program, nullptr);
  expect_golden(to_dot(*program), "everything.dot");
}

}  // namespace
}  // namespace millrace::dsl
