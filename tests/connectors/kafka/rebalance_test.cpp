// Members of a group that come, go and come back, on a real broker, at least once.
#include "tests/connectors/kafka/broker.hpp"
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace millrace::test {
namespace {

class KafkaGroupTest : public testing::Test {
protected:
  void SetUp() override {
    if (const auto reason = Broker::why_not("real"); !reason.empty())
      GTEST_SKIP() << reason;
    broker_ = std::make_unique<Broker>("real");
    topic_ = "g" + std::to_string(getpid()) + "-" + std::to_string(std::random_device{}());
    broker_->make_topic(topic_, 2);
  }

  /// A member that appends what it reads to a file of its own.
  Launch member(const std::string& name, const std::string& more = {},
                const std::string& steps = {}, std::vector<std::string> flags = {}) {
    const auto file = scratch_.write(
      name + ".yaml",
      "servers:\n  broker: {protocol: kafka, url: '" + broker_->url() + "'}\nname: trial-" + topic_
        + "\nsteps:\n  - {name: in, type: kafka, operation: receive, server: broker, topic: "
        + topic_ + ", sessionTimeout: 20s" + more + "}\n" + steps
        + "  - {type: file, operation: write, mode: append, path: " + name
        + ".txt, value: $.in.n, format: text}\n"
          "  - {type: log, level: info, message: 'wrote ${$.in.n}.'}\n");
    flags.insert(flags.begin(), {"run", file});
    auto launch = millrace_launch(std::move(flags));
    launch.directory = scratch_.path({});
    return launch;
  }

  static std::vector<Message> numbered(int from, int to) {
    std::vector<Message> all;
    for (int n = from; n < to; ++n)
      all.push_back({std::nullopt, "{\"n\":" + std::to_string(n) + "}"});
    return all;
  }

  std::set<std::string> written(const std::vector<std::string>& members) const {
    std::set<std::string> all;
    for (const auto& name : members) {
      std::istringstream in{scratch_.read(name + ".txt")};
      for (std::string line; std::getline(in, line);)
        all.insert(line);
    }
    return all;
  }

  static int count(const std::string& text, const std::string& words) {
    int found = 0;
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
      ++found;
    return found;
  }

  Scratch scratch_;
  std::unique_ptr<Broker> broker_;
  std::string topic_;
};

TEST_F(KafkaGroupTest, LosesNothingWhenAPartitionMovesInTheMiddleOfItsBatches) {
  broker_->produce(topic_, 0, numbered(10000, 12000));
  broker_->produce(topic_, 1, numbered(20000, 22000));
  const std::string slow = "  - {type: throttle, rate: 1000/s}\n";
  Process first{member("first", {}, slow)};
  ASSERT_TRUE(first.wait_for("wrote ")) << first.err();
  Process second{member("second", {}, slow)};
  ASSERT_TRUE(second.wait_for("partitions assigned")) << second.err();
  first.signal(SIGKILL);
  first.wait();
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait().code, 0) << second.err();
  // The group waits for the one that was killed.
  const auto done = run_process(member("third", {}, {}, {"--once"}));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(written({"first", "second", "third"}).size(), 4000U);
}

TEST_F(KafkaGroupTest, GivesAMemberThatComesBackInTimeThePartitionsThatItHad) {
  Process other{member("other", ", instanceId: other")};
  ASSERT_TRUE(other.wait_for("partitions assigned")) << other.err();
  {
    Process one{member("one", ", instanceId: one")};
    ASSERT_TRUE(one.wait_for("partitions assigned source=in count=1")) << one.err();
    one.signal(SIGKILL);
    one.wait();
  }
  Process again{member("again", ", instanceId: one")};
  ASSERT_TRUE(again.wait_for("partitions assigned source=in count=1")) << again.err();
  broker_->produce(topic_, 0, numbered(1, 2));
  broker_->produce(topic_, 1, numbered(2, 3));
  for (int looks = 0; looks < 1000 && written({"other", "again"}).size() < 2; ++looks)
    broker_->committed("trial-" + topic_, topic_, 0);  // which takes a while by itself
  EXPECT_EQ(written({"other", "again"}).size(), 2U);
  other.signal(SIGTERM);
  EXPECT_EQ(other.wait().code, 0);
  // It had both to itself, then gave one away, and heard of nothing more.
  EXPECT_EQ(count(other.err(), "partitions assigned source=in count=2"), 1) << other.err();
  EXPECT_EQ(written({"other"}).size(), 1U) << other.err();
}

TEST_F(KafkaGroupTest, KeepsAPoisonedPartitionFromStallingTheOthers) {
  broker_->produce(topic_, 0, numbered(0, 3000));
  broker_->produce(topic_, 1, numbered(5000, 5300));
  const std::string poison =
    "  - {type: fail, message: poison, when: '$.meta.in.partition == 0', onError: {retry: "
    "{attempts: 1000, base: 1h, cap: 1h}}}\n";
  Process process{member("one", {}, poison, {"--drain-timeout", "100ms"})};
  ASSERT_TRUE(process.wait_for("wrote 5299.")) << process.err();
  EXPECT_EQ(written({"one"}).size(), 300U);
}

}  // namespace
}  // namespace millrace::test
