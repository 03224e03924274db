#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RedisConfigTest : public testing::Test {
protected:
  std::string validate(const std::string& step, const std::string& server = "url: 'redis://h'") {
    const auto file = scratch_.write("p.yaml", "servers:\n  cache: {protocol: redis, " + server
                                                 + "}\nname: t\nsteps:\n" + step);
    const auto done = millrace({"validate", file});
    return done.code == 0 ? "ok" : done.err;
  }

  std::string receive(const std::string& options, const std::string& operation = "receive") {
    return validate("  - {name: in, type: redis, operation: " + operation + ", " + options + "}\n");
  }

  std::string step(const std::string& options) {
    return validate("  - {name: in, type: stdin}\n  - {name: out, type: redis, " + options + "}\n");
  }

  Scratch scratch_;
};

TEST_F(RedisConfigTest, ReadsEveryFormOfAUrl) {
  const std::string step = "  - {name: in, type: redis, operation: receive, list: l}\n";
  for (const auto* url :
       {"redis://h", "redis://h:7000/15", "redis://ada:p%40w@h", "redis://:pw@h/1", "rediss://h",
        "redis://[::1]:7000", "unix:///run/redis.sock", "unix:///run/redis.sock?db=2"})
    EXPECT_EQ(validate(step, std::string{"url: '"} + url + "'"), "ok") << url;
  for (const auto* url : {"h:6379", "http://h", "redis://", "redis://h:0", "redis://h:99999",
                          "redis://h/x", "redis://h/1/2", "unix://run", "unix:///a?x=1"})
    EXPECT_THAT(validate(step, std::string{"url: '"} + url + "'"),
                HasSubstr("'url' must be redis://, rediss:// or unix:// with an address"))
      << url;
}

TEST_F(RedisConfigTest, ShowsNoPasswordOfAUrl) {
  EXPECT_THAT(validate("  - {name: in, type: redis, operation: receive, list: l}\n",
                       "url: 'redis://a:hunter2@h:x'"),
              testing::Not(HasSubstr("hunter2")));
}

TEST_F(RedisConfigTest, RefusesSettingsOfAServerThatCannotBe) {
  const std::string step = "  - {name: in, type: redis, operation: receive, list: l}\n";
  EXPECT_THAT(validate(step, "url: 'redis://h', timeout: 0ms, maxReply: 1, clientName: 'a b', tls: "
                             "{certificate: x}, hots: 1"),
              AllOf(HasSubstr("'timeout' must be"), HasSubstr("'maxReply' must be"),
                    HasSubstr("'clientName' must be"), HasSubstr("'tls' must be"),
                    HasSubstr("given together with"), HasSubstr("no option 'hots'")));
  EXPECT_THAT(validate(step, "url: 'redis://h', securitySchemes: {a: {type: basic, username: a, "
                             "password: b}, b: {type: basic, username: a, password: b}}"),
              HasSubstr("Redis takes one security scheme, and 'b' is a second"));
}

TEST_F(RedisConfigTest, WantsEitherAStreamOrAList) {
  EXPECT_THAT(receive("count: 1"), HasSubstr("needs either 'stream' or 'list'"));
  EXPECT_THAT(receive("stream: a, list: b"), HasSubstr("needs either 'stream' or 'list'"));
  EXPECT_THAT(receive("list: a, group: g, field: f, claimAfter: 1s, start: $"),
              AllOf(HasSubstr("'group' is of streams"), HasSubstr("'field' is of streams"),
                    HasSubstr("'claimAfter' is of streams"), HasSubstr("'start' is of streams")));
  EXPECT_THAT(receive("stream: a, processing: p"), HasSubstr("'processing' is of lists"));
  EXPECT_THAT(receive("stream: a, start: yesterday, count: 0, claimAfter: 1ms"),
              AllOf(HasSubstr("'start' must be"), HasSubstr("'count' must be"),
                    HasSubstr("'claimAfter' must be")));
  EXPECT_THAT(receive("count: 1", "subscribe"), HasSubstr("needs 'channel' or 'pattern'"));
  EXPECT_EQ(receive("channels: [a, b], pattern: 'c*'", "subscribe"), "ok");
}

TEST_F(RedisConfigTest, RefusesCommandsThatAreNotForASharedConnection) {
  EXPECT_THAT(step("operation: command, command: [subscribe, a]"),
              HasSubstr("'SUBSCRIBE' cannot be sent"));
  EXPECT_THAT(step("operation: command, command: [BLPOP, a, 0]"),
              HasSubstr("'receive' waits for what comes into a list"));
  EXPECT_THAT(step("operation: command, command: [$.in.a]"),
              HasSubstr("a command begins with its name"));
  EXPECT_THAT(step("operation: command, command: GET"), HasSubstr("'command' must be a list"));
  EXPECT_EQ(step("operation: command, command: [GET, $.in.a]"), "ok");
}

TEST_F(RedisConfigTest, ChecksTheOptionsOfEachOperation) {
  EXPECT_THAT(step("operation: get"), HasSubstr("'key'"));
  EXPECT_THAT(step("operation: expire, key: a, ttl: 0ms"), HasSubstr("'ttl' must be"));
  EXPECT_THAT(step("operation: set, key: a, ttl: 1s, keepTtl: true"),
              HasSubstr("'keepTtl' must be left out where 'ttl' is given"));
  EXPECT_THAT(step("operation: del, key: a, value: 1"), HasSubstr("no option 'value'"));
  EXPECT_THAT(step("operation: hset, key: a"), HasSubstr("operation"));
}

}  // namespace
}  // namespace millrace::test
