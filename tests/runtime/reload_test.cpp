// A running process takes up what changes in its files: pipelines that did not change are not
// touched, and nobody notices those that did.
#include "tests/runtime/admin_process.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

namespace millrace::test {
namespace {

using testing::HasSubstr;

std::vector<std::string> names(const sdk::Value& report, std::string_view member) {
  std::vector<std::string> all;
  if (const auto* found = report.find(member); found && found->is_array()) {
    for (const auto& one : found->items())
      all.emplace_back(one.as_string());
  }
  return all;
}

using Names = std::vector<std::string>;

std::string ticking(const std::string& name, int value) {
  return "  " + name + ":\n    steps:\n"
         + "      - {name: tick, type: timer, operation: every, every: 5ms}\n"
         + "      - {name: shape, type: transform, set: {a: " + std::to_string(value) + "}}\n"
         + "      - {type: drop}\n";
}

class ReloadTest : public testing::Test {
protected:
  std::string write(const std::string& pipelines) {
    return scratch_.write("p.yaml", "pipelines:\n" + pipelines);
  }

  static bool runs(const AdminProcess& process) {
    return AdminProcess::eventually([&] { return process.get("/health/ready").status == 200; });
  }

  Scratch scratch_;
};

TEST_F(ReloadTest, WhatDidNotChangeRunsOnUntouched) {
  const AdminProcess process{{"run", write(ticking("kept", 1) + ticking("changed", 1))}};
  ASSERT_TRUE(runs(process));
  const auto kept = process.number("kept", "id");
  const auto changed = process.number("changed", "id");
  const auto read = process.number("kept", "read");
  const auto uptime = process.number("kept", "uptime_ms");
  // Another place in the file, and a comment, are no change.
  write("  # new\n" + ticking("fresh", 1) + ticking("changed", 2) + ticking("kept", 1));
  const auto answer = process.ask("POST", "/reload");
  ASSERT_EQ(answer.status, 200u);
  EXPECT_EQ(names(answer.body, "kept"), Names{"kept"});
  EXPECT_EQ(names(answer.body, "replaced"), Names{"changed"});
  EXPECT_EQ(names(answer.body, "started"), Names{"fresh"});
  EXPECT_EQ(process.number("kept", "id"), kept);
  EXPECT_GE(process.number("kept", "read"), read);
  EXPECT_GE(process.number("kept", "uptime_ms"), uptime);
  EXPECT_NE(process.number("changed", "id"), changed);
  EXPECT_TRUE(AdminProcess::eventually([&] { return process.number("fresh", "read") > 0; }));
}

TEST_F(ReloadTest, StopsWhatIsGone) {
  const AdminProcess process{{"run", write(ticking("kept", 1) + ticking("gone", 1))}};
  ASSERT_TRUE(runs(process));
  write(ticking("kept", 1));
  const auto answer = process.ask("POST", "/reload");
  EXPECT_EQ(names(answer.body, "stopped"), Names{"gone"});
  EXPECT_EQ(process.get("/pipelines/gone").status, 404u);
}

TEST_F(ReloadTest, ABadFileChangesNothingAndSaysWhy) {
  AdminProcess process{{"run", write(ticking("kept", 1))}};
  ASSERT_TRUE(runs(process));
  const auto id = process.number("kept", "id");
  const auto file = write(ticking("kept", 2) + "  broken:\n    steps: [{type: tmer}]\n");
  const auto answer = process.ask("POST", "/reload");
  EXPECT_EQ(answer.status, 422u);
  const auto mistakes = names(answer.body, "mistakes");
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_THAT(mistakes[0], HasSubstr(file + ":8:20: error:"));
  EXPECT_THAT(mistakes[0], HasSubstr("did you mean 'timer'?"));
  EXPECT_EQ(process.number("kept", "id"), id);
  ASSERT_TRUE(process.process().wait_for("reload refused, nothing was changed"));
}

TEST_F(ReloadTest, HappensOnSighup) {
  AdminProcess process{{"run", write(ticking("one", 1))}};
  ASSERT_TRUE(runs(process));
  write(ticking("one", 2));
  process.process().signal(SIGHUP);
  ASSERT_TRUE(process.process().wait_for("reloaded"));
  ASSERT_TRUE(process.process().wait_for("replaced=[\"one\"]")) << process.process().err();
}

TEST_F(ReloadTest, HappensWhenAWatchedFileChanges) {
  AdminProcess process{{"run", "--watch", write(ticking("one", 1))}};
  ASSERT_TRUE(runs(process));
  write(ticking("one", 2));
  ASSERT_TRUE(process.process().wait_for("replaced=[\"one\"]")) << process.process().err();
}

TEST_F(ReloadTest, APipelineChangesWithThoseThatItCalls) {
  const auto file = [&](int value) {
    return write("  called:\n    steps:\n"
                 "      - {name: in, type: pipeline, operation: receive}\n"
                 "      - {name: add, type: transform, set: {v: "
                 + std::to_string(value)
                 + "}}\n"
                   "  caller:\n    steps:\n"
                   "      - {name: tick, type: timer, operation: every, every: 5ms}\n"
                   "      - {name: call, type: pipeline, pipeline: called, input: $.tick}\n"
                   "      - {type: drop}\n"
                 + ticking("other", 1));
  };
  const AdminProcess process{{"run", file(1)}};
  ASSERT_TRUE(runs(process));
  file(2);
  const auto answer = process.ask("POST", "/reload");
  EXPECT_EQ(names(answer.body, "replaced"), (Names{"called", "caller"}));
  EXPECT_EQ(names(answer.body, "kept"), Names{"other"});
  EXPECT_TRUE(AdminProcess::eventually([&] { return process.number("caller", "delivered") > 3; }));
}

TEST_F(ReloadTest, NoRequestIsRefusedWhileARouteIsReplaced) {
  const auto port = std::to_string(free_port());
  const auto write_service = [&](int version, const std::string& idle) {
    return scratch_.write("p.yaml", "servers: {web: {protocol: http, url: 'http://127.0.0.1:" + port
                                      + "'" + idle
                                      + "}}\n"
                                        "pipelines:\n  service:\n    steps:\n"
                                        "      - {name: in, type: http, operation: receive, "
                                        "method: GET, path: /v}\n"
                                        "      - {name: out, type: transform, set: {version: "
                                      + std::to_string(version) + "}}\n");
  };
  const AdminProcess process{{"run", write_service(0, "")}};
  ASSERT_TRUE(runs(process));
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  std::atomic<int> newest{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i)
    clients.emplace_back([&] {
      runtime::AdminOptions there;
      there.address = "127.0.0.1:" + port;
      const runtime::AdminClient client{there};
      while (!stop) {
        const auto answer = client.ask("GET", "/v");
        const auto* version = answer && answer->status == 200 ? answer->body.find("version")
                                                              : nullptr;
        if (version)
          newest = static_cast<int>(version->as_integer());
        ++(version ? answered : refused);
      }
    });
  for (int version = 1; version <= 20; ++version) {
    const int before = answered;
    // Now and then the server changes too.
    write_service(version,
                  version % 4 == 0 ? ", idleTimeout: 3" + std::to_string(version) + "s" : "");
    const auto answer = process.ask("POST", "/reload");
    EXPECT_EQ(names(answer.body, "replaced"), Names{"service"});
    EXPECT_TRUE(AdminProcess::eventually([&] { return newest == version && answered > before; }))
      << "version " << version << ", not " << newest;
  }
  stop = true;
  for (auto& client : clients)
    client.join();
  EXPECT_EQ(refused, 0);
  EXPECT_GT(answered, 20);
}

TEST_F(ReloadTest, NoRecordIsLostOrDoubledWhileItsPipelineIsReplaced) {
  // Rows behind a mark that is kept in the database: what the one has read the next does not.
  const auto database = scratch_.path("rows.db");
  const auto write_pipelines = [&](int version) {
    return scratch_.write(
      "p.yaml", "servers:\n  db:\n    url: 'sqlite:///" + database
                  + "'\n"
                    "    init: |\n"
                    "      CREATE TABLE IF NOT EXISTS source (id INTEGER PRIMARY KEY);\n"
                    "      CREATE TABLE IF NOT EXISTS sink (id INTEGER, version INTEGER);\n"
                    "pipelines:\n"
                    "  fill:\n    steps:\n"
                    "      - {name: tick, type: timer, operation: every, every: 1ms}\n"
                    "      - {name: put, type: database, operation: executeSql, server: db, "
                    "query: INSERT INTO source DEFAULT VALUES, parameters: []}\n"
                    "  copy:\n    steps:\n"
                    "      - {name: in, type: database, operation: receive, server: db, "
                    "every: 5ms, query: 'SELECT id FROM source WHERE id > :mark ORDER BY id LIMIT "
                    ":limit', mark: {column: id, initial: 0}, markTable: marks}\n"
                    "      - {name: put, type: database, operation: executeSql, server: db, "
                    "query: 'INSERT INTO sink VALUES (?, ?)', parameters: ['$.in.id', "
                  + std::to_string(version) + "]}\n");
  };
  AdminProcess process{{"run", write_pipelines(0)}};
  ASSERT_TRUE(runs(process)) << process.process().err();
  const auto fill = process.number("fill", "id");
  for (int version = 1; version <= 5; ++version) {
    ASSERT_TRUE(AdminProcess::eventually([&] { return process.number("copy", "delivered") > 10; }))
      << process.process().err();
    write_pipelines(version);
    EXPECT_EQ(names(process.ask("POST", "/reload").body, "replaced"), Names{"copy"});
  }
  EXPECT_EQ(process.number("fill", "id"), fill);
  // No more rows; then all of them are copied, each once.
  process.ask("POST", "/pipelines/fill/pause");
  ASSERT_TRUE(AdminProcess::eventually([&] { return process.number("fill", "open") == 0; }));
  const auto check = scratch_.write(
    "check.yaml",
    "name: check\nservers: {db: {url: 'sqlite:///" + database
      + "'}}\nsteps:\n  - {name: in, type: generate, count: 1}\n"
        "  - {name: q, type: database, operation: executeSql, server: db, parameters: [], query: "
        "'SELECT (SELECT COUNT(*) FROM source) - (SELECT COUNT(*) FROM sink) AS missing, (SELECT "
        "COUNT(*) - COUNT(DISTINCT id) FROM sink) AS doubled', response: {missing: "
        "'$.rows[0].missing', doubled: '$.rows[0].doubled'}}\n  - {type: stdout}\n");
  std::string out;
  EXPECT_TRUE(AdminProcess::eventually([&] {
    out = millrace({"run", "--once", check}).out;
    return out == "{\"missing\":0,\"doubled\":0}\n";
  }))
    << out;
  process.process().signal(SIGTERM);
  EXPECT_EQ(process.process().wait().code, 0);
}

}  // namespace
}  // namespace millrace::test
