// The admin API of a running process, asked over HTTP.
#include "runtime/admin/server.hpp"
#include "tests/runtime/admin_process.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text(const sdk::Value& value, std::string_view name) {
  const auto* found = value.find(name);
  return found && found->is_string() ? std::string{found->as_string()} : std::string{};
}

class AdminTest : public testing::Test {
protected:
  AdminTest() {
    file_ = scratch_.write("p.yaml",
                           "servers: {db: {url: 'sqlite::memory:'}}\n"
                           "pipelines:\n"
                           "  ticks:\n"
                           "    steps:\n"
                           "      - {name: tick, type: timer, operation: every, every: 10ms}\n"
                           "      - {name: shape, type: transform, set: {a: 1}}\n"
                           "      - {name: query, type: database, operation: executeSql, "
                           "server: db, query: SELECT 1, parameters: []}\n"
                           "      - {name: sink, type: drop}\n");
  }

  Scratch scratch_;
  std::string file_;
};

TEST_F(AdminTest, SaysThatItLivesAndIsReady) {
  const AdminProcess process{{"run", file_}};
  EXPECT_EQ(process.get("/health/live").status, 200u);
  EXPECT_TRUE(AdminProcess::eventually([&] { return process.get("/health/ready").status == 200; }));
}

TEST_F(AdminTest, TellsTheHealthOfEachServerWithItsLatency) {
  const AdminProcess process{{"run", file_}};
  ASSERT_TRUE(AdminProcess::eventually([&] { return process.get("/health/ready").status == 200; }));
  const auto health = process.get("/health");
  EXPECT_EQ(health.status, 200u);
  EXPECT_EQ(text(health.body, "status"), "healthy");
  const auto* server = health.body.find("servers")->find("db");
  ASSERT_TRUE(server);
  EXPECT_EQ(text(*server, "status"), "healthy");
  EXPECT_EQ(text(*server, "message"), "Database connection OK");
  EXPECT_TRUE(server->find("latency_ms")->is_number());
}

TEST_F(AdminTest, SpeaksPrometheus) {
  const AdminProcess process{{"run", file_}};
  ASSERT_TRUE(AdminProcess::eventually([&] { return process.number("ticks", "delivered") > 3; }));
  const auto done = run_process(
    {.arguments = {"/usr/bin/env", "bash", "-c",
                   "exec 3<>/dev/tcp/127.0.0.1/"
                     + process.options().address.substr(process.options().address.find(':') + 1)
                     + "; printf 'GET /metrics HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: "
                       "close\\r\\n\\r\\n' >&3; cat <&3"}});
  EXPECT_THAT(done.out, HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(done.out, HasSubstr("# TYPE millrace_step_seconds histogram\n"));
  EXPECT_THAT(done.out, HasSubstr("millrace_step_seconds_bucket{pipeline=\"ticks\",step=\"query\","
                                  "type=\"database\",le=\"+Inf\"}"));
  EXPECT_THAT(done.out, HasSubstr("millrace_step_errors_total{pipeline=\"ticks\",step=\"shape\","
                                  "type=\"transform\"} 0\n"));
  EXPECT_THAT(done.out, HasSubstr("millrace_pool_up{server=\"db\"} 1\n"));
  EXPECT_THAT(done.out, HasSubstr("process_resident_memory_bytes "));
  // One head a family, whatever the number of its samples.
  const std::string head = "# TYPE millrace_step_records_in_total counter\n";
  EXPECT_EQ(done.out.find(head), done.out.rfind(head));
}

TEST_F(AdminTest, PausesAndResumesTheIntake) {
  const AdminProcess process{{"run", file_}};
  ASSERT_TRUE(AdminProcess::eventually([&] { return process.number("ticks", "delivered") > 0; }));
  EXPECT_EQ(process.ask("POST", "/pipelines/ticks/pause").status, 200u);
  ASSERT_TRUE(
    AdminProcess::eventually([&] { return text(process.pipeline("ticks"), "state") == "paused"; }));
  // What was under way may still come in; then nothing does.
  ASSERT_TRUE(AdminProcess::eventually([&] { return process.number("ticks", "open") == 0; }));
  const auto before = process.number("ticks", "read");
  EXPECT_EQ(process.ask("POST", "/pipelines/ticks/records", R"({"payload": {}})").status, 200u);
  EXPECT_EQ(process.number("ticks", "read"), before + 1);
  EXPECT_EQ(process.ask("POST", "/pipelines/ticks/resume").status, 200u);
  EXPECT_TRUE(
    AdminProcess::eventually([&] { return process.number("ticks", "read") > before + 2; }));
}

TEST_F(AdminTest, ShowsWhatLeavesAStep) {
  const AdminProcess process{{"run", file_}};
  const std::string tap = "/pipelines/ticks/steps/shape/tap";
  sdk::Value records;
  ASSERT_TRUE(AdminProcess::eventually([&] {
    const auto answer = process.get(tap);
    const auto* found = answer.body.find("records");
    records = found ? *found : sdk::Value{};
    return records.size() > 0;
  }));
  const auto& first = records.items()[0];
  EXPECT_EQ(*first.find("value"), sdk::Value::object({{"a", sdk::Value{1}}}));
  const auto last = records.items()[records.size() - 1].find("number")->as_integer();
  const auto later = process.get(tap + "?after=" + std::to_string(last));
  for (const auto& one : later.body.find("records")->items())
    EXPECT_GT(one.find("number")->as_integer(), last);
  EXPECT_EQ(process.get("/pipelines/ticks/steps/nobody/tap").status, 404u);
}

TEST_F(AdminTest, ListsServersWithTheirPoolsAndNoSecret) {
  const AdminProcess process{{"run", file_}};
  const auto answer = process.get("/servers");
  ASSERT_EQ(answer.status, 200u);
  const auto& server = answer.body.find("servers")->items()[0];
  EXPECT_EQ(text(server, "name"), "db");
  EXPECT_TRUE(server.find("pool")->find("total")->is_integer());
  EXPECT_EQ(server.find("url"), nullptr);
  EXPECT_EQ(process.get("/transactions").body.find("transactions")->size(), 0u);
}

TEST_F(AdminTest, KeepsTheLastErrors) {
  const auto file = scratch_.write("bad.yaml",
                                   "name: bad\nsteps:\n"
                                   "  - {name: tick, type: timer, operation: every, every: 10ms}\n"
                                   "  - {name: refuse, type: fail, message: no luck, "
                                   "onError: {then: skip}}\n");
  const AdminProcess process{{"run", file}};
  ASSERT_TRUE(AdminProcess::eventually([&] { return process.number("bad", "skipped") > 0; }));
  const auto answer = process.get("/errors");
  const auto& first = answer.body.find("errors")->items()[0];
  EXPECT_EQ(text(first, "pipeline"), "bad");
  EXPECT_EQ(text(first, "step"), "refuse");
  EXPECT_EQ(text(first, "kind"), "failed");
  EXPECT_EQ(text(first, "message"), "no luck");
  EXPECT_EQ(text(first, "action"), "skipped");
}

TEST_F(AdminTest, ChangesTheLevelOfTheLog) {
  const AdminProcess process{{"run", file_}};
  EXPECT_EQ(text(process.get("/log").body, "level"), "info");
  EXPECT_EQ(text(process.ask("PUT", "/log", R"({"level": "warn"})").body, "level"), "warn");
  EXPECT_EQ(text(process.get("/log").body, "level"), "warn");
  EXPECT_EQ(process.ask("PUT", "/log", R"({"level": "loud"})").status, 422u);
}

TEST_F(AdminTest, DrainsWhenAsked) {
  AdminProcess process{{"run", file_}};
  EXPECT_EQ(process.ask("POST", "/drain").status, 202u);
  EXPECT_EQ(process.process().wait().code, 0);
}

TEST_F(AdminTest, TellsMistakesOfMethodPathAndBodyApart) {
  const AdminProcess process{{"run", file_}};
  EXPECT_EQ(process.get("/nowhere").status, 404u);
  EXPECT_EQ(process.get("/pipelines/nobody").status, 404u);
  EXPECT_EQ(process.ask("POST", "/pipelines/nobody/pause").status, 404u);
  EXPECT_EQ(process.ask("DELETE", "/pipelines").status, 405u);
  EXPECT_EQ(process.ask("POST", "/pipelines/ticks/records", "{").status, 400u);
  EXPECT_EQ(process.ask("POST", "/pipelines/ticks/records", "{}").status, 422u);
  EXPECT_EQ(
    process.ask("POST", "/pipelines/ticks/records", std::string(2'000'000, ' ') + "{}").status,
    413u);
}

TEST_F(AdminTest, AsksForTheTokenEverywhere) {
  AdminProcess process{{"run", file_}, [](Launch& launch) {
                         launch.environment.emplace_back("MILLRACE_ADMIN_TOKEN", "let-me-in");
                       }};
  EXPECT_EQ(process.get("/health/live").status, 401u);
  EXPECT_EQ(process.get("/metrics").status, 401u);
  process.use_token("let-me-out");
  EXPECT_EQ(process.get("/metrics").status, 401u);
  process.use_token("let-me-in");
  EXPECT_EQ(process.get("/metrics").status, 200u);
  EXPECT_THAT(process.process().err(), Not(HasSubstr("let-me-in")));
}

TEST_F(AdminTest, IsRefusedToTheWorldWithoutAToken) {
  const auto done = millrace({"run", file_, "--admin-address", "0.0.0.0:0"});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("would be open to everybody"));
  EXPECT_THAT(done.err, HasSubstr("set admin_token"));
}

TEST_F(AdminTest, SaysThatItsAddressIsNone) {
  const auto done = millrace({"run", file_, "--admin-address", "somewhere"});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("write HOST:PORT"));
}

TEST_F(AdminTest, AnAddressThatWasAskedForAndIsTakenStopsTheStart) {
  const AdminProcess process{{"run", file_}};
  const auto done = millrace({"run", file_, "--admin-address", process.options().address});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("cannot listen at"));
}

TEST_F(AdminTest, PagesOfOtherSitesAreRefused) {
  const AdminProcess process{{"run", file_}};
  const auto& address = process.options().address;
  const auto ask = [&](const std::string& headers) {
    return run_process(
             {.arguments = {"/usr/bin/env", "bash", "-c",
                            "exec 3<>/dev/tcp/127.0.0.1/" + address.substr(address.find(':') + 1)
                              + "; printf 'POST /drain HTTP/1.1\\r\\nConnection: "
                                "close\\r\\nContent-Length: 0\\r\\n"
                              + headers + "\\r\\n' >&3; cat <&3"}})
      .out;
  };
  EXPECT_THAT(ask("Host: 127.0.0.1\\r\\nOrigin: https://evil.example\\r\\n"),
              StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask("Host: evil.example\\r\\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(process.get("/health/live").status, 200u);
}

TEST(AdminAddressTest, KnowsWhatOnlyThisMachineReaches) {
  using runtime::parse_admin_address;
  EXPECT_TRUE(parse_admin_address("127.0.0.1:4190")->is_loopback);
  EXPECT_TRUE(parse_admin_address("127.8.9.1:1")->is_loopback);
  EXPECT_TRUE(parse_admin_address("[::1]:1")->is_loopback);
  EXPECT_TRUE(parse_admin_address("localhost:1")->is_loopback);
  EXPECT_FALSE(parse_admin_address("0.0.0.0:1")->is_loopback);
  EXPECT_FALSE(parse_admin_address("127.0.0.1.example:1")->is_loopback);
  EXPECT_FALSE(parse_admin_address(":1")->is_loopback);
  for (const auto* wrong : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:1", "a:b"})
    EXPECT_FALSE(parse_admin_address(wrong)) << wrong;
}

}  // namespace
}  // namespace millrace::test
