// Pipelines between Kafka and files, as a user runs them: on the mock cluster, and on a real broker
// where there is one.
#include "tests/connectors/kafka/broker.hpp"
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class KafkaTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (const auto reason = Broker::why_not(GetParam()); !reason.empty())
      GTEST_SKIP() << reason;
    broker_ = std::make_unique<Broker>(GetParam());
    // A real broker remembers what earlier runs left.
    topic_ = "t" + std::to_string(getpid()) + "-" + std::to_string(std::random_device{}());
  }

  /// A file of one pipeline that talks to the broker as server 'broker'.
  Launch run(const std::string& steps, std::vector<std::string> flags = {"--once"}) {
    const auto file = scratch_.write("pipeline.yaml", "servers:\n  broker: {protocol: kafka, url: '"
                                                        + broker_->url() + "'}\n" + "name: trial-"
                                                        + topic_ + "\nsteps:\n" + steps);
    flags.insert(flags.begin(), {"run", file});
    Launch launch = millrace_launch(std::move(flags));
    launch.directory = scratch_.path({});
    return launch;
  }

  std::string receive(const std::string& more = {}) const {
    return "  - {name: in, type: kafka, operation: receive, server: broker, topic: " + topic_
           + ", sessionTimeout: 6s" + more + "}\n";
  }

  std::vector<std::string> lines(const std::string& text) const {
    std::vector<std::string> all;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
      all.push_back(line);
    return all;
  }

  std::vector<Message> numbered(int from, int to) const {
    std::vector<Message> all;
    for (int n = from; n < to; ++n)
      all.push_back({"k" + std::to_string(n), "{\"n\":" + std::to_string(n) + "}"});
    return all;
  }

  Scratch scratch_;
  std::unique_ptr<Broker> broker_;
  std::string topic_;
};

INSTANTIATE_TEST_SUITE_P(Brokers, KafkaTest, testing::Values("mock", "real"),
                         [](const auto& one) { return one.param; });

TEST_P(KafkaTest, SendsKeysValuesAndHeaders) {
  broker_->make_topic(topic_, 1);
  auto launch = run("  - {name: in, type: stdin}\n"
                    "  - {type: kafka, operation: send, server: broker, topic: "
                    + topic_
                    + ", key: $.in.id, value: {n: $.in.n}, headers: {origin: trial, n: $.in.n}}\n");
  launch.input = "{\"id\":\"a\",\"n\":1}\n{\"id\":7,\"n\":null}\n";
  const auto done = run_process(launch);
  ASSERT_EQ(done.code, 0) << done.err;

  const auto messages = broker_->read(topic_, 2);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].key, "a");
  EXPECT_EQ(messages[0].value, "{\"n\":1}");
  EXPECT_EQ(messages[0].headers.at("origin"), "trial");
  EXPECT_EQ(messages[0].headers.at("n"), "1");
  EXPECT_EQ(messages[1].key, "7");
  EXPECT_EQ(messages[1].value, "{\"n\":null}");
}

TEST_P(KafkaTest, SendsATombstoneForNullAndChoosesTopicAndPartitionByTheRecord) {
  broker_->make_topic(topic_ + "-de", 2);
  auto launch = run("  - {name: in, type: stdin}\n"
                    "  - {type: kafka, operation: send, server: broker, topic: '"
                    + topic_
                    + "-${$.in.to}', key: $.in.id, value: $.in.value, partition: $.in.part}\n");
  launch.input = "{\"id\":\"a\",\"to\":\"de\",\"part\":1,\"value\":null}\n";
  const auto done = run_process(launch);
  ASSERT_EQ(done.code, 0) << done.err;

  const auto messages = broker_->read(topic_ + "-de", 1);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].value, std::nullopt);
  EXPECT_EQ(messages[0].partition, 1);
}

TEST_P(KafkaTest, ReadsEveryPartitionInOrderAndOnlyOnce) {
  broker_->make_topic(topic_, 3);
  for (int partition = 0; partition < 3; ++partition)
    broker_->produce(topic_, partition, numbered(0, 500));
  const auto steps = receive()
                     + "  - {type: transform, set: {p: $.meta.in.partition, n: $.in.n, o: "
                       "$.meta.in.offset, k: $.meta.in.key}}\n"
                       "  - {type: stdout}\n";
  const auto done = run_process(run(steps));
  ASSERT_EQ(done.code, 0) << done.err;

  std::map<std::string, std::vector<std::string>> by_partition;
  for (const auto& line : lines(done.out))
    by_partition[line.substr(0, line.find(','))].push_back(line);
  ASSERT_EQ(by_partition.size(), 3U);
  for (const auto& [partition, seen] : by_partition) {
    ASSERT_EQ(seen.size(), 500U) << partition;
    for (int n = 0; n < 500; ++n)
      EXPECT_EQ(seen[static_cast<std::size_t>(n)], partition + ",\"n\":" + std::to_string(n)
                                                     + ",\"o\":" + std::to_string(n) + ",\"k\":\"k"
                                                     + std::to_string(n) + "\"}");
  }
  for (int partition = 0; partition < 3; ++partition)
    EXPECT_EQ(broker_->committed("trial-" + topic_, topic_, partition), 500);

  const auto again = run_process(run(steps));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, "") << "the group has read all of it";
}

TEST_P(KafkaTest, SendsWhatCannotBeReadWhereOnErrorSaysAndReadsOn) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0,
                   {{"a", "{\"n\":1}"}, {"b", "{\"n\":"}, {"c", std::nullopt}, {"d", "{\"n\":4}"}});
  const auto done = run_process(
    run(receive(", onError: {match: data, then: skip}")
        + "  - {type: stdout, value: {key: $.meta.in.key, in: $.in}}\n"));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(lines(done.out),
              ElementsAre("{\"key\":\"a\",\"in\":{\"n\":1}}", "{\"key\":\"c\",\"in\":null}",
                          "{\"key\":\"d\",\"in\":{\"n\":4}}"));
  EXPECT_EQ(broker_->committed("trial-" + topic_, topic_, 0), 4);
}

TEST_P(KafkaTest, LosesNothingWhenTheProcessIsKilled) {
  broker_->make_topic(topic_, 2);
  broker_->produce(topic_, 0, numbered(0, 1000));
  broker_->produce(topic_, 1, numbered(1000, 2000));
  const std::string slow = "  - {type: throttle, rate: 400/s}\n";
  const std::string write =
    "  - {type: file, operation: write, mode: append, path: out.jsonl, value: $.in.n, format: "
    "text}\n";
  {
    const std::string tell = "  - {type: stdout, value: $.in.n, format: text}\n";
    Process process{run(receive(", instanceId: one") + slow + write + tell, {})};
    ASSERT_TRUE(process.wait_for("\n250\n")) << process.err();  // behind 250 that are written
    process.signal(SIGKILL);
    process.wait();
  }
  const auto before = lines(scratch_.read("out.jsonl")).size();
  EXPECT_LT(before, 2000U) << "it was killed in the middle";
  const auto done = run_process(run(receive(", instanceId: one") + write));
  EXPECT_EQ(done.code, 0) << done.err;

  const auto all = lines(scratch_.read("out.jsonl"));
  const std::set<std::string> distinct{all.begin(), all.end()};
  EXPECT_EQ(distinct.size(), 2000U);
  RecordProperty("read_twice", static_cast<int>(all.size() - distinct.size()));
}

TEST_P(KafkaTest, KeepsOneSlowPartitionFromStallingTheOthers) {
  broker_->make_topic(topic_, 2);
  broker_->produce(topic_, 0, numbered(0, 3000));
  broker_->produce(topic_, 1, numbered(5000, 5300));
  // Everything of partition 0 waits for an hour; partition 1 must come through all the same.
  Process process{run(receive()
                        + "  - {type: delay, for: 1h, when: '$.meta.in.partition == 0'}\n"
                          "  - {type: stdout, value: $.in.n, format: text}\n",
                      {"--drain-timeout", "100ms"})};
  ASSERT_TRUE(process.wait_for("5299\n")) << process.err();
  EXPECT_THAT(process.out(), Not(HasSubstr("\n10\n")));
}

TEST_P(KafkaTest, TellsHeadersKeyAndTimeOfEachMessage) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0, {{"k", "{}", {{"origin", "shop"}}}});
  const auto done = run_process(
    run(receive()
        + "  - {type: stdout, value: {h: $.meta.in.headers, k: $.meta.in.key, t: "
          "$.meta.in.topic, late: {path: '$.meta.in.timestamp', required: true}}}\n"));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("{\"h\":{\"origin\":\"shop\"},\"k\":\"k\",\"t\":\"" + topic_
                                  + "\",\"late\":1"));
}

class MockKafkaTest : public KafkaTest {};

INSTANTIATE_TEST_SUITE_P(Brokers, MockKafkaTest, testing::Values("mock"),
                         [](const auto& one) { return one.param; });

TEST_P(MockKafkaTest, SaysThatABrokerIsAwayAndEndsARunThatWasAskedForOnce) {
  broker_->make_topic(topic_, 1);
  broker_->set_down(true);
  auto launch = run("  - {name: in, type: stdin}\n"
                    "  - {name: out, type: kafka, operation: send, server: broker, topic: "
                    + topic_ + ", deliveryTimeout: 1s, onError: {then: stop}}\n");
  launch.input = "{\"n\":1}\n";
  const auto done = run_process(launch);
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("cannot send to '" + topic_ + "'"));
}

TEST_P(MockKafkaTest, GoesOnWhenABrokerComesBack) {
  broker_->make_topic(topic_, 1);
  auto launch = run("  - {name: in, type: stdin}\n"
                    "  - {name: out, type: kafka, operation: send, server: broker, topic: "
                      + topic_ + "}\n  - {type: stdout, value: $.in.n, format: text}\n",
                    {});
  launch.keep_input_open = true;
  Process process{launch};
  process.write("{\"n\":1}\n");
  ASSERT_TRUE(process.wait_for("1\n")) << process.err();
  broker_->set_down(true);
  process.write("{\"n\":2}\n");
  broker_->set_down(false);
  ASSERT_TRUE(process.wait_for("2\n")) << process.err();
  process.close_input();
  EXPECT_EQ(process.wait().code, 0);
  EXPECT_EQ(broker_->read(topic_, 2).size(), 2U);
}

}  // namespace
}  // namespace millrace::test
