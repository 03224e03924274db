// `delivery: exactly-once` from topic to topic, by transactions of a real broker: the mock knows
// neither isolation nor fencing.
#include "tests/connectors/kafka/broker.hpp"
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

namespace millrace::test {
namespace {

class KafkaTransactionTest : public testing::Test {
protected:
  void SetUp() override {
    if (const auto reason = Broker::why_not("real"); !reason.empty())
      GTEST_SKIP() << reason;
    broker_ = std::make_unique<Broker>("real");
    topic_ = "x" + std::to_string(getpid()) + "-" + std::to_string(std::random_device{}());
    broker_->make_topic(topic_, 2);
    broker_->make_topic(topic_ + "-out", 2);
  }

  Launch run(const std::string& steps = {}, std::vector<std::string> flags = {"--once"},
             const std::string& name = "pipeline") {
    const auto file = scratch_.write(
      name + ".yaml",
      "servers:\n  broker: {protocol: kafka, url: '" + broker_->url() + "'}\nname: trial-" + topic_
        + "\nonError: {then: deadLetter}\ndeadLetter: {type: kafka, operation: send, server: "
          "broker, topic: "
        + topic_
        + "-dead}\nsteps:\n  - {name: in, type: kafka, operation: receive, server: broker, topic: "
        + topic_ + ", sessionTimeout: 6s, delivery: exactly-once}\n" + steps
        + "  - {name: out, type: kafka, operation: send, server: broker, topic: " + topic_
        + "-out, key: $.in.n, value: {n: $.in.n}, partition: $.in.to, properties: "
          "{transaction.timeout.ms: 6000}}\n");
    flags.insert(flags.begin(), {"run", file});
    return millrace_launch(std::move(flags));
  }

  static std::vector<Message> numbered(int from, int to) {
    std::vector<Message> all;
    for (int n = from; n < to; ++n)
      all.push_back({std::nullopt, "{\"n\":" + std::to_string(n) + "}"});
    return all;
  }

  /// Each of so many messages is there once, for those who read what is committed.
  void expect_each_once(std::size_t count) {
    const auto messages = broker_->read_all(topic_ + "-out");
    std::set<std::string> distinct;
    for (const auto& message : messages)
      distinct.insert(message.key.value_or(""));
    EXPECT_EQ(messages.size(), count)
      << topic_ << " at " << committed(0) << " and " << committed(1);
    EXPECT_EQ(distinct.size(), count);
  }

  std::int64_t committed(int partition) {
    return broker_->committed("trial-" + topic_, topic_, partition);
  }

  Scratch scratch_;
  std::unique_ptr<Broker> broker_;
  std::string topic_;
};

TEST_F(KafkaTransactionTest, CommitsMessagesAndOffsetsTogether) {
  broker_->produce(topic_, 0, numbered(1000, 1500));
  broker_->produce(topic_, 1, numbered(2000, 2300));
  const auto first = run_process(run("  - {type: filter, when: '$.in.n != 1200'}\n"));
  ASSERT_EQ(first.code, 0) << first.err;
  expect_each_once(799);
  EXPECT_EQ(committed(0), 500);
  EXPECT_EQ(committed(1), 300);
  broker_->produce(topic_, 0, numbered(1500, 1600));
  const auto second = run_process(run());
  ASSERT_EQ(second.code, 0) << second.err;
  expect_each_once(899);
  EXPECT_EQ(committed(0), 600);
}

TEST_F(KafkaTransactionTest, SendsTheRecordThatFailsElsewhereAndNoOther) {
  broker_->make_topic(topic_ + "-dead", 1);
  broker_->produce(topic_, 0, numbered(0, 100));
  broker_->produce(topic_, 0, {{std::nullopt, "{\"n\":100,\"to\":\"nowhere\"}"}});
  broker_->produce(topic_, 0, {{std::nullopt, "{oops"}});
  broker_->produce(topic_, 0, numbered(102, 150));
  const auto done = run_process(run());
  ASSERT_EQ(done.code, 0) << done.err;
  expect_each_once(148);
  EXPECT_EQ(broker_->read_all(topic_ + "-dead").size(), 2U);
  EXPECT_EQ(committed(0), 150);
}

TEST_F(KafkaTransactionTest, LosesAndDoublesNothingWhenTheProcessIsKilled) {
  broker_->produce(topic_, 0, numbered(10000, 13000));
  broker_->produce(topic_, 1, numbered(20000, 23000));
  for (const std::string mark : {"at 10400\n", "at 11400\n"}) {
    Process process{run("  - {type: throttle, rate: 3000/s}\n"
                        "  - {type: log, level: info, message: 'at ${$.in.n}'}\n",
                        {"--log-level", "info"})};
    ASSERT_TRUE(process.wait_for(mark.substr(0, mark.size() - 1))) << process.err();
    process.signal(SIGKILL);
    process.wait();
  }
  const auto done = run_process(run());
  ASSERT_EQ(done.code, 0) << done.err;
  expect_each_once(6000);
}

TEST_F(KafkaTransactionTest, LosesAndDoublesNothingWhenMembersComeAndGo) {
  broker_->produce(topic_, 0, numbered(10000, 13000));
  broker_->produce(topic_, 1, numbered(20000, 23000));
  const std::string slow = "  - {type: throttle, rate: 2000/s}\n";
  Process first{run(slow, {}, "first")};
  ASSERT_TRUE(first.wait_for("partitions assigned")) << first.err();
  Process second{run(slow, {}, "second")};
  ASSERT_TRUE(second.wait_for("partitions assigned")) << second.err();
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait().code, 0) << first.err();
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait().code, 0) << second.err();
  const auto done = run_process(run());
  ASSERT_EQ(done.code, 0) << done.err;
  expect_each_once(6000);
}

}  // namespace
}  // namespace millrace::test
