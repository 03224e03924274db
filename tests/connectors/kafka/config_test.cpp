// What `servers:` and the steps may say about Kafka, and what a mistake is told.
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KafkaConfigTest : public testing::Test {
protected:
  Finished validate(const std::string& server, const std::string& source,
                    const std::string& sink = "{type: drop}") {
    const auto file = scratch_.write("p.yaml", "servers:\n  broker: " + server
                                                 + "\nname: trial\nsteps:\n  - " + source + "\n  - "
                                                 + sink + "\n");
    auto launch = millrace_launch({"validate", file});
    launch.environment = {{"PLANTED", "kn0wn-t0-n0body"}};
    return run_process(launch);
  }

  Finished exactly_once(const std::string& steps, const std::string& url = "sqlite:///a.db",
                        const std::string& more = {}) {
    const auto file = scratch_.write(
      "p.yaml",
      "servers:\n  broker: {protocol: kafka, url: 'localhost:9092'}\n  db: {url: '" + url
        + "'}\n  other: {url: 'sqlite:///b.db'}\nname: trial\nsteps:\n"
          "  - {name: in, type: kafka, operation: receive, topic: t, delivery: exactly-once"
        + more + "}\n" + steps);
    return millrace({"validate", file});
  }

  const std::string insert =
    "  - {name: write, type: database, operation: insert, server: db, table: t, values: {n: "
    "$.in.n}}\n";

  static constexpr const char* plain_server = "{protocol: kafka, url: 'localhost:9092'}";
  static constexpr const char* plain_source =
    "{name: in, type: kafka, operation: receive, server: broker, topic: orders}";

  Scratch scratch_;
};

TEST_F(KafkaConfigTest, TakesAServerWithCredentialsAndTls) {
  const auto done = validate(
    "{protocol: kafka, url: 'kafka://a:9092,b:9092', tls: {ca: /etc/ca.pem}, "
    "securitySchemes: {user: {type: scramSha512, username: ada, password: "
    "'${ENV:PLANTED}'}}, properties: {socket.keepalive.enable: true}}",
    "{name: in, type: kafka, operation: receive, topics: [orders, '^audit-.*'], start: "
    "2026-01-01T00:00:00Z, window: 10}",
    "{type: kafka, operation: send, topic: 'out-${$.in.country}', compression: zstd, "
    "acks: all}");
  EXPECT_EQ(done.code, 0) << done.err;
}

TEST_F(KafkaConfigTest, NamesEveryMistakeOfAServerAtItsPlace) {
  const auto done = validate("{protocol: kafka, url: '', clientid: x, properties: {linger: 5, "
                             "group.id: g, socket.timeout.ms: soon}}",
                             plain_source);
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, AllOf(HasSubstr("p.yaml:2:"), HasSubstr("'url' must be host:port"),
                              HasSubstr("has no option 'clientid'"), HasSubstr("clientId"),
                              HasSubstr("librdkafka has no property 'linger'"),
                              HasSubstr("'group.id' cannot be set here"),
                              HasSubstr("refuses this value for 'socket.timeout.ms'")));
}

TEST_F(KafkaConfigTest, NamesEveryMistakeOfTheSteps) {
  const auto done = validate(
    plain_server,
    "{name: in, type: kafka, operation: receive, start: yesterday, sessionTimeout: 5ms}",
    "{type: kafka, operation: send, topic: t, acks: 1, idempotent: true, deliveryTimeout: 1ms}");
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, AllOf(HasSubstr("needs a 'topic'"), HasSubstr("'start' must be earliest"),
                              HasSubstr("'sessionTimeout' must be 1s or more"),
                              HasSubstr("an idempotent producer needs 'acks: all'"),
                              HasSubstr("'deliveryTimeout' must be 1s to 24h")));
}

TEST_F(KafkaConfigTest, SaysWhichServerIsMissing) {
  const auto done = validate(
    plain_server, "{name: in, type: kafka, operation: receive, server: brokr, topic: t}");
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err,
              AllOf(HasSubstr("there is no server 'brokr'"), HasSubstr("did you mean 'broker'?")));
}

TEST_F(KafkaConfigTest, DoesNotTakeADatabaseForABroker) {
  const auto done = validate("{url: 'sqlite::memory:'}", plain_source);
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("is no kafka server"));
}

TEST_F(KafkaConfigTest, PrintsNoSecret) {
  const auto done = validate("{protocol: kafka, url: '${ENV:PLANTED}', properties: "
                             "{socket.timeout.ms: '${ENV:PLANTED}'}, securitySchemes: {a: {type: "
                             "plain, password: '${ENV:PLANTED}'}, b: {type: plain}}}",
                             plain_source);
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, AllOf(HasSubstr("'b' is a second"), Not(HasSubstr("kn0wn"))));
  EXPECT_THAT(done.out, Not(HasSubstr("kn0wn")));
}

TEST_F(KafkaConfigTest, ExplainsWhichServerEachStepTalksTo) {
  const auto file = scratch_.write(
    "p.yaml", "servers:\n  broker: {protocol: kafka, url: 'localhost:9092'}\nname: trial\nsteps:\n"
              "  - {name: in, type: kafka, operation: receive, topic: orders}\n"
              "  - {name: out, type: kafka, operation: send, topic: scores}\n");
  const auto done = millrace({"explain", file});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out,
              AllOf(HasSubstr("in: kafka receive on broker (source)"),
                    HasSubstr("out: kafka send on broker"), HasSubstr("broker: kafka"),
                    HasSubstr("used by trial/in, trial/out"), HasSubstr("'out' may happen twice")));
}

TEST_F(KafkaConfigTest, ExplainsExactlyOnceDelivery) {
  const auto done = exactly_once("  - {type: transform, set: {n: $.in.n}}\n" + insert);
  EXPECT_EQ(done.code, 0) << done.err;
  const auto explained = millrace({"explain", scratch_.path("p.yaml")});
  EXPECT_THAT(
    explained.out,
    AllOf(HasSubstr("guarantee: exactly once: the offset stands in \"millrace_offsets\" on "
                    "db and moves in the transaction of each batch"),
          HasSubstr("share one; it is rolled back"), Not(HasSubstr("may happen twice"))));
}

TEST_F(KafkaConfigTest, RefusesExactlyOnceWhereItCannotHold) {
  const struct {
    std::string steps;
    const char* place;
    const char* words;
  } cases[] = {
    {"  - {type: transform, set: {n: $.in.n}}\n", "p.yaml:7:", "this pipeline has none"},
    {insert + "  - {name: out, type: kafka, operation: send, server: broker, topic: t}\n",
     "p.yaml:8:", "has an effect outside the transaction that 'out' commits"},
    {"  - {name: out, type: stdout}\n" + insert,
     "p.yaml:8:", "has an effect outside the transaction"},
    {insert
       + "  - {name: copy, type: database, operation: insert, server: other, table: t, values: "
         "{n: 1}}\n",
     "p.yaml:9:", "is on 'other', and the transaction on 'db': no commit covers both"},
    {insert + "  - {name: end, type: database, operation: commitSql, server: db}\n",
     "p.yaml:9:", "makes the transaction by itself"},
    {"  - {name: many, type: batch, count: 5}\n  - {type: database, operation: executeSql, server: "
     "db, query: DELETE FROM t, parameters: []}\n",
     "p.yaml:8:", "makes one record of many"},
    {"  - {name: split, type: foreach, in: $.in.l, as: one, steps: [{type: transform, set: {a: "
     "$.one}}]}\n"
       + insert,
     "p.yaml:8:", "makes many records of one"},
    {"  - {name: fast, type: transform, set: {n: $.in.n}, ordered: false}\n" + insert,
     "p.yaml:8:", "lifts the order of a partition"},
  };

  for (const auto& one : cases) {
    const auto done = exactly_once(one.steps);
    EXPECT_EQ(done.code, 78) << one.words;
    EXPECT_THAT(done.err, AllOf(HasSubstr(one.place), HasSubstr(one.words))) << one.steps;
  }
}

TEST_F(KafkaConfigTest, RefusesExactlyOnceOnADatabaseInMemoryAndABadTableOfOffsets) {
  const auto done = exactly_once(insert, "sqlite::memory:", ", offsetTable: 'a..b'");
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, AllOf(HasSubstr("'db' is in memory"), HasSubstr("is no name of a table")));
}

}  // namespace
}  // namespace millrace::test
