// Pipelines between Redis and files, as a user runs them.
#include "tests/connectors/redis/redis_server.hpp"
#include "tests/runtime/millrace.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

using redis::Reply;
using testing::HasSubstr;
using testing::Not;

class RedisTest : public testing::Test {
protected:
  void SetUp() override {
    if (const auto& why = RedisServer::why_not(); !why.empty())
      GTEST_SKIP() << why;
    server_ = std::make_unique<RedisServer>();
    url_ = server_->url();
  }

  /// A file of one pipeline that talks to the server as 'cache'.
  Launch run(const std::string& steps, std::vector<std::string> flags = {"--once"}) {
    const auto file = scratch_.write("pipeline.yaml", "servers:\n  cache: {protocol: redis, url: '"
                                                        + url_ + "'" + more_ + "}\nname: trial\n"
                                                        + "steps:\n" + steps);
    flags.insert(flags.begin(), {"run", file});
    Launch launch = millrace_launch(std::move(flags));
    launch.directory = scratch_.path({});
    return launch;
  }

  Finished feed(const std::string& input, const std::string& steps) {
    auto launch = run("  - {name: in, type: stdin}\n" + steps);
    launch.input = input;
    return run_process(launch);
  }

  Reply ask(const std::vector<std::string>& command) const { return server_->ask(command); }

  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
      all.push_back(line);
    return all;
  }

  static std::string numbers(int from, int to) {
    std::string all;
    for (int n = from; n < to; ++n)
      all += "{\"n\":" + std::to_string(n) + "}\n";
    return all;
  }

  void add_entries(int count) const {
    for (int n = 0; n < count; ++n)
      ask({"XADD", "orders", "*", "n", std::to_string(n)});
  }

  std::int64_t pending() const {
    const auto reply = ask({"XPENDING", "orders", "trial"});
    return reply.items.empty() ? -1 : reply.items.front().integer;
  }

  Scratch scratch_;
  std::unique_ptr<RedisServer> server_;
  std::string url_;
  std::string more_;
};

constexpr const char* receive_stream = "  - {name: in, type: redis, operation: receive, stream: "
                                       "orders, consumer: me}\n";
constexpr const char* receive_list = "  - {name: in, type: redis, operation: receive, list: jobs, "
                                     "consumer: me}\n";
constexpr const char* to_stdout = "  - {type: stdout}\n";

TEST_F(RedisTest, SetsGetsAndDeletesKeys) {
  const auto done = feed(
    "{\"id\":1,\"v\":{\"a\":[1.50,null]}}\n",
    "  - {name: set, type: redis, operation: set, key: 'k:${$.in.id}', value: $.in.v, ttl: 1h}\n"
    "  - {name: nx, type: redis, operation: set, key: 'k:${$.in.id}', value: 2, only: absent}\n"
    "  - {name: get, type: redis, operation: get, key: 'k:${$.in.id}'}\n"
    "  - {name: life, type: redis, operation: expire, key: 'k:${$.in.id}', ttl: 2h}\n"
    "  - {name: gone, type: redis, operation: del, key: ['k:${$.in.id}', other]}\n"
    "  - {name: none, type: redis, operation: get, key: 'k:${$.in.id}'}\n"
    "  - {type: transform, set: {set: $.set, nx: $.nx, get: $.get, life: $.life, gone: $.gone, "
    "none: $.none}}\n"
    "  - {type: stdout}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, R"({"set":true,"nx":false,"get":{"a":[1.50,null]},"life":true,"gone":1,)"
                      "\"none\":null}\n");
}

TEST_F(RedisTest, CountsListsAndStreams) {
  const auto done = feed(
    "{\"n\":1}\n{\"n\":2}\n",
    "  - {name: one, type: redis, operation: incr, key: c}\n"
    "  - {name: by, type: redis, operation: incr, key: d, by: 2.5}\n"
    "  - {name: left, type: redis, operation: lpush, key: l, value: $.in.n}\n"
    "  - {name: right, type: redis, operation: rpush, key: r, value: $.in}\n"
    "  - {name: popped, type: redis, operation: rpop, key: l}\n"
    "  - {name: head, type: redis, operation: lpop, key: nothing}\n"
    "  - {name: id, type: redis, operation: xadd, key: s, id: '5-${$.in.n}', fields: {n: $.in.n, "
    "t: 'x y'}, maxLength: 1000}\n"
    "  - {name: heard, type: redis, operation: publish, channel: c, value: hi}\n"
    "  - {name: any, type: redis, operation: command, command: [HSET, h, $.in.n, v]}\n"
    "  - {name: all, type: redis, operation: command, command: [HGETALL, h]}\n"
    "  - {type: transform, set: {one: $.one, by: $.by, left: $.left, right: $.right, popped: "
    "$.popped, head: $.head, id: $.id, heard: $.heard, any: $.any, all: $.all}}\n"
    "  - {type: stdout}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  const auto out = lines(done.out);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_THAT(out[1], HasSubstr(R"({"one":2,"by":5,)"));
  EXPECT_THAT(out[1], HasSubstr(R"("right":2,)"));
  EXPECT_THAT(out[1], HasSubstr(R"("head":null,"id":"5-2","heard":0,"any":1,)"));
  EXPECT_THAT(out[1], HasSubstr(R"("all":{"1":"v","2":"v"})"));
  EXPECT_EQ(ask({"XLEN", "s"}).integer, 2);
}

TEST_F(RedisTest, TakesBytesAndTextsAsTheyAre) {
  ask({"SET", "raw", std::string("\xff\x00z", 3)});
  const auto done = feed(
    "{}\n", "  - {name: b, type: redis, operation: get, key: raw, format: bytes}\n"
            "  - {type: redis, operation: set, key: copy, value: $.b, format: bytes}\n"
            "  - {type: redis, operation: set, key: t, value: 'no json', format: text}\n"
            "  - {name: t, type: redis, operation: get, key: t, format: text}\n"
            "  - {type: transform, set: {b: $.b, t: $.t}}\n"
            "  - {type: stdout}\n");
  EXPECT_EQ(done.out, "{\"b\":\"/wB6\",\"t\":\"no json\"}\n") << done.err;
  EXPECT_EQ(ask({"GET", "copy"}).text, std::string("\xff\x00z", 3));
}

TEST_F(RedisTest, SendsRecordsWithoutACommandWhereOnErrorSays) {
  ask({"SET", "text", "no json"});
  const auto done = feed(
    "{\"k\":\"text\"}\n{\"k\":null}\n{\"k\":\"none\"}\n",
    "  - {name: got, type: redis, operation: get, key: $.in.k, onError: {then: "
    "skip}}\n"
    "  - {type: stdout}\n");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "null\n");
}

TEST_F(RedisTest, ReadsAStreamInOrderAndAcknowledgesIt) {
  add_entries(1'500);
  const auto done = run_process(run(std::string{receive_stream} + to_stdout));
  ASSERT_EQ(done.code, 0) << done.err;
  const auto out = lines(done.out);
  ASSERT_EQ(out.size(), 1'500U);
  for (int n = 0; n < 1'500; ++n)
    EXPECT_EQ(out[static_cast<std::size_t>(n)], "{\"n\":\"" + std::to_string(n) + "\"}");
  EXPECT_EQ(pending(), 0);
  EXPECT_EQ(run_process(run(std::string{receive_stream} + to_stdout)).out, "");
}

TEST_F(RedisTest, ReadsOneFieldAndTellsItsOrigin) {
  ask({"XADD", "orders", "7-1", "data", "{\"a\":1}", "other", "x"});
  ask({"XADD", "orders", "7-2", "data", "no json"});
  ask({"XADD", "orders", "7-3", "none", "1"});
  const auto done = run_process(
    run("  - {name: in, type: redis, operation: receive, stream: orders, field: data, group: g, "
        "consumer: me, onError: {then: deadLetter}}\n"
        "  - {type: transform, set: {a: $.in.a, id: $.meta.in.id, by: $.meta.in.consumer}}\n"
        "  - {type: stdout}\n"
        "deadLetter: {type: file, operation: write, path: dead.jsonl}\n"));
  EXPECT_EQ(done.out, "{\"a\":1,\"id\":\"7-1\",\"by\":\"me\"}\n") << done.err;
  const auto dead = lines(scratch_.read("dead.jsonl"));
  ASSERT_EQ(dead.size(), 2U) << done.err;
  EXPECT_THAT(dead[0], HasSubstr("no json"));
  EXPECT_THAT(dead[1], HasSubstr("the entry has no field 'data'"));
}

TEST_F(RedisTest, ReadsAgainWhatACrashLeftUnsettled) {
  add_entries(20);
  {
    Process process{run(std::string{receive_stream}
                          + "  - {name: once, type: filter, when: \"$.in.n != '10'\"}\n"
                            "  - {type: stdout}\n"
                            "  - {type: delay, for: 1h}\n",
                        {})};
    ASSERT_TRUE(process.wait_for("\"19\"")) << process.err();
    process.signal(SIGKILL);
  }
  EXPECT_GT(pending(), 0);
  const auto done = run_process(run(std::string{receive_stream} + to_stdout));
  const auto out = lines(done.out);
  ASSERT_EQ(out.size(), 20U) << done.err << "nothing had settled before entry 0 did";
  EXPECT_EQ(out[0], "{\"n\":\"0\"}");
  EXPECT_EQ(pending(), 0);
}

TEST_F(RedisTest, TakesOverWhatAnotherConsumerLeft) {
  add_entries(5);
  ask({"XGROUP", "CREATE", "orders", "trial", "0"});
  ask({"XREADGROUP", "GROUP", "trial", "dead", "COUNT", "5", "STREAMS", "orders", ">"});
  Process process{run("  - {name: in, type: redis, operation: receive, stream: orders, consumer: "
                      "me, claimAfter: 100ms}\n"
                      "  - {type: stdout}\n",
                      {})};
  EXPECT_TRUE(process.wait_for("\"4\"")) << process.err();
  process.signal(SIGTERM);
  const auto done = process.wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(lines(done.out).size(), 5U);
  EXPECT_EQ(pending(), 0);
}

TEST_F(RedisTest, KeepsWhatItIsStillAtFromOthers) {
  add_entries(3);
  Process process{run("  - {name: in, type: redis, operation: receive, stream: orders, consumer: "
                      "me, claimAfter: 300ms}\n"
                      "  - {type: stdout}\n"
                      "  - {type: delay, for: 1h}\n",
                      {})};
  ASSERT_TRUE(process.wait_for("\"2\"")) << process.err();
  // The idle time of an entry falls when it is claimed anew: three times is no accident.
  std::int64_t before = 0;
  for (int fallen = 0; fallen < 3;) {
    const auto reply = ask({"XPENDING", "orders", "trial", "-", "+", "1"});
    ASSERT_EQ(reply.items.size(), 1U);
    const auto idle = reply.items[0].items[2].integer;
    fallen += idle < before ? 1 : 0;
    before = idle;
  }
}

TEST_F(RedisTest, LosesNothingOfAStreamWhenTheServerIsKilledMeanwhile) {
  Process process{run("  - {name: in, type: redis, operation: receive, stream: orders, consumer: "
                      "me, start: '0'}\n"
                      "  - {type: redis, operation: command, command: [SADD, seen, $.in.n], "
                      "repeatable: true, onError: {retry: {attempts: 100, base: 10ms, cap: "
                      "100ms}}}\n",
                      {})};
  ASSERT_TRUE(process.wait_for("pipeline started")) << process.err();
  for (int round = 0; round < 3; ++round) {
    for (int n = 0; n < 200; ++n)
      ask({"XADD", "orders", "*", "n", std::to_string(round * 200 + n)});
    server_->kill();
    server_->start();
  }
  while (ask({"SCARD", "seen"}).integer < 600 || pending() != 0) {
    ASSERT_EQ(::kill(process.pid(), 0), 0) << process.err();
  }
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
}

TEST_F(RedisTest, TakesAListFromItsHeadAndLeavesNothingBehind) {
  const auto filled = feed(numbers(0, 700), "  - {type: redis, operation: rpush, key: jobs}\n");
  ASSERT_EQ(filled.code, 0) << filled.err;
  const auto done = run_process(run(std::string{receive_list} + to_stdout));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, numbers(0, 700));
  EXPECT_EQ(ask({"LLEN", "jobs"}).integer, 0);
  EXPECT_EQ(ask({"LLEN", "jobs:processing:me"}).integer, 0);
}

TEST_F(RedisTest, TakesAgainWhatACrashLeftInTheOtherList) {
  ASSERT_EQ(feed(numbers(0, 10), "  - {type: redis, operation: rpush, key: jobs}\n").code, 0);
  {
    Process process{
      run(std::string{receive_list} + to_stdout + "  - {type: delay, for: 1h}\n", {})};
    ASSERT_TRUE(process.wait_for("{\"n\":9}")) << process.err();
    process.signal(SIGKILL);
  }
  EXPECT_EQ(ask({"LLEN", "jobs:processing:me"}).integer, 10);
  ask({"RPUSH", "jobs", "{\"n\":10}"});
  const auto done = run_process(run(std::string{receive_list} + to_stdout));
  EXPECT_EQ(done.out, numbers(0, 11)) << done.err;
  EXPECT_EQ(ask({"LLEN", "jobs:processing:me"}).integer, 0);
}

TEST_F(RedisTest, LosesNothingOfAListWhenItsConnectionsAreCut) {
  FaultProxy proxy{{.host = "127.0.0.1", .port = server_->port()}};
  url_ = "redis://127.0.0.1:" + std::to_string(proxy.port());
  Process process{run("  - {name: in, type: redis, operation: receive, list: jobs, consumer: me, "
                      "count: 7}\n"
                      "  - {type: redis, operation: command, command: [SADD, seen, $.in.n], "
                      "repeatable: true, onError: {retry: {attempts: 100, base: 10ms, cap: "
                      "100ms}}}\n",
                      {})};
  ASSERT_TRUE(process.wait_for("pipeline started")) << process.err();
  for (int n = 0; n < 600; ++n) {
    ask({"RPUSH", "jobs", "{\"n\":" + std::to_string(n) + "}"});
    if (n % 60 == 30)
      proxy.strike({.kind = Fault::Kind::cut, .after = static_cast<std::uint64_t>(n)});
  }
  while (ask({"SCARD", "seen"}).integer < 600 || ask({"LLEN", "jobs:processing:me"}).integer > 0) {
    ASSERT_EQ(::kill(process.pid(), 0), 0) << process.err();
  }
  EXPECT_GT(proxy.struck(), 0U);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
}

TEST_F(RedisTest, HearsChannelsAndPatterns) {
  Process process{run("  - {name: in, type: redis, operation: subscribe, channel: news, pattern: "
                      "'log.*', format: text}\n"
                      "  - {type: transform, set: {m: $.in, c: $.meta.in.channel, p: "
                      "$.meta.in.pattern}}\n"
                      "  - {type: stdout}\n",
                      {})};
  while (ask({"PUBLISH", "log.a", "two"}).integer == 0) {
  }
  while (ask({"PUBLISH", "news", "one"}).integer == 0) {
  }
  EXPECT_TRUE(process.wait_for(R"({"m":"two","c":"log.a","p":"log.*"})")) << process.err();
  EXPECT_TRUE(process.wait_for(R"({"m":"one","c":"news","p":null})")) << process.err();
  // It subscribes again on its next connection.
  server_->kill();
  server_->start();
  while (ask({"PUBLISH", "news", "three"}).integer == 0) {
  }
  EXPECT_TRUE(process.wait_for("three")) << process.err();
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
}

TEST_F(RedisTest, StopsWithAClearErrorWhereTheCredentialsAreWrong) {
  ask({"CONFIG", "SET", "requirepass", "open"});
  more_ = ", securitySchemes: {a: {type: basic, username: default, password: shut}}";
  const auto source = run_process(run(std::string{receive_stream} + to_stdout));
  EXPECT_NE(source.code, 0);
  EXPECT_THAT(source.err, HasSubstr("WRONGPASS"));
  EXPECT_THAT(source.err, Not(HasSubstr("shut")));
  const auto step = feed("{}\n", "  - {type: redis, operation: get, key: a}\n");
  EXPECT_NE(step.code, 0);
  EXPECT_THAT(step.err, HasSubstr("WRONGPASS"));

  more_ = ", securitySchemes: {a: {type: basic, username: default, password: open}}";
  EXPECT_EQ(feed("{}\n", "  - {type: redis, operation: get, key: a}\n").code, 0);
}

TEST_F(RedisTest, EncryptsAndChecksWhomItTalksTo) {
  const auto at = [&](const char* name) { return scratch_.path(name); };
  const std::string script =
    "cd " + scratch_.path({})
    + " && for n in ca other; do openssl req -x509 -newkey "
      "rsa:2048 -nodes -days 2 -subj /CN=$n -keyout $n.key -out $n.crt; done;"
      "openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "
      "s.key -out s.csr; printf 'subjectAltName=DNS:localhost,IP:127.0.0.1'"
      " > s.ext; openssl x509 -req -in s.csr -CA ca.crt -CAkey ca.key "
      "-CAcreateserial -days 2 -extfile s.ext -out s.crt";
  ASSERT_EQ(std::system(("(" + script + ") >/dev/null 2>&1").c_str()), 0);
  const auto port = free_port();
  const RedisServer tls{{"--tls-port", std::to_string(port), "--tls-cert-file", at("s.crt"),
                         "--tls-key-file", at("s.key"), "--tls-ca-cert-file", at("ca.crt"),
                         "--tls-auth-clients", "yes"}};
  url_ = "rediss://127.0.0.1:" + std::to_string(port);
  const auto set = "  - {type: redis, operation: set, key: a, value: 1}\n";
  const auto ours = "', certificate: '" + at("s.crt") + "', key: '" + at("s.key") + "'}";
  more_ = ", tls: {ca: '" + at("ca.crt") + ours;
  const auto done = feed("{}\n", set);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(tls.ask({"GET", "a"}).text, "1");

  more_ = ", timeout: 300ms, tls: {ca: '" + at("other.crt") + ours;
  const auto strange = feed("{}\n", set);
  EXPECT_NE(strange.code, 0);
  EXPECT_THAT(strange.err, HasSubstr("certificate verify failed"));
}

}  // namespace
}  // namespace millrace::test
