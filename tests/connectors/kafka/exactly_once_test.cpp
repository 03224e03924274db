// `delivery: exactly-once` from Kafka into a database: the offset moves in the transaction of the
// data. On the mock cluster and, where there is one, on a real broker; on SQLite and PostgreSQL.
#include "tests/connectors/kafka/broker.hpp"
#include "tests/runtime/database_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace millrace::test {
namespace {

using testing::HasSubstr;

using Case = std::tuple<std::string, std::string>;  // broker, database

class ExactlyOnceTest : public DatabaseRun, public testing::WithParamInterface<Case> {
protected:
  void SetUp() override {
    const auto& [broker, database] = GetParam();
    if (const auto reason = Broker::why_not(broker); !reason.empty())
      GTEST_SKIP() << reason;
    if (database == "sqlite")
      use_sqlite();
    else
      use_postgres();
    if (IsSkipped() || HasFatalFailure())
      return;
    broker_ = std::make_unique<Broker>(broker);
    topic_ = "e" + std::to_string(getpid()) + "-" + std::to_string(std::random_device{}());
    make("CREATE TABLE effects (part integer NOT NULL, n integer NOT NULL CHECK (n <> 13))");
  }

  static constexpr const char* insert =
    "  - {name: write, type: database, operation: executeSql, server: db, query: \"INSERT INTO "
    "effects (part, n) VALUES (?, ?)\", parameters: [$.meta.in.partition, $.in.n]}\n";

  Launch run(const std::string& steps, std::vector<std::string> flags = {"--once"},
             const std::string& pipeline = {}) {
    auto all = servers();
    all.insert(all.find('{') + 1, "broker: {protocol: kafka, url: '" + broker_->url() + "'}, ");
    const auto file = scratch_.write(
      "pipeline.yaml", all + "name: trial-" + topic_ + "\n" + pipeline
                         + "steps:\n  - {name: in, type: kafka, operation: receive, server: "
                           "broker, topic: "
                         + topic_ + ", sessionTimeout: 6s, delivery: exactly-once}\n" + steps);
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

  std::string effects() {
    return rows("SELECT count(*) AS rows, count(DISTINCT n) AS n FROM effects");
  }

  std::string offsets() {
    return rows("SELECT next_offset AS o FROM millrace_offsets ORDER BY partition_number");
  }

  /// Looks until they are there, for a minute at most. Each look takes a while by itself.
  void wait_for_rows(int count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (effects() != counted(count) && std::chrono::steady_clock::now() < end) {
    }
  }

  static std::string counted(int rows) {
    return "[{\"rows\":" + std::to_string(rows) + ",\"n\":" + std::to_string(rows) + "}]";
  }

  std::unique_ptr<Broker> broker_;
  std::string topic_;
};

// The mock knows enough to be read from; what is claimed of fencing is seen on the real one.
INSTANTIATE_TEST_SUITE_P(Brokers, ExactlyOnceTest,
                         testing::Values(Case{"mock", "sqlite"}, Case{"real", "sqlite"},
                                         Case{"real", "postgres"}),
                         [](const auto& one) {
                           return std::get<0>(one.param) + "_" + std::get<1>(one.param);
                         });

TEST_P(ExactlyOnceTest, WritesTheOffsetWithTheDataAndGoesOnThere) {
  broker_->make_topic(topic_, 2);
  broker_->produce(topic_, 0, numbered(1000, 1400));
  broker_->produce(topic_, 1, numbered(2000, 2300));
  const auto first = run_process(run(insert));
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(effects(), counted(700));
  EXPECT_EQ(offsets(), "[{\"o\":400},{\"o\":300}]");

  // What the group has committed in Kafka does not count: the database says where to go on.
  make("DELETE FROM effects");
  make("UPDATE millrace_offsets SET next_offset = 250 WHERE partition_number = 1");
  broker_->produce(topic_, 0, numbered(1400, 1410));
  const auto second = run_process(run(insert));
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(effects(), counted(60));
  EXPECT_EQ(offsets(), "[{\"o\":410},{\"o\":300}]");
}

TEST_P(ExactlyOnceTest, RunsStepsThatNeedEachOthersResultsInOneTransaction) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0, numbered(100, 200));
  const auto done = run_process(
    run("  - {name: odd, type: filter, when: '$.in.n != 150'}\n"
        "  - {name: look, type: database, operation: executeSql, server: db, query: \"SELECT "
        "count(*) AS c FROM effects WHERE n = ?\", parameters: [$.in.n]}\n"
        "  - {name: fresh, type: filter, when: '$.look.rows[0].c == 0 && $.in.n != 160'}\n"
        + std::string{insert}));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(effects(), counted(98));
  EXPECT_EQ(offsets(), "[{\"o\":100}]");
}

TEST_P(ExactlyOnceTest, LeavesOutTheRecordThatFailsAndNoOther) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0, numbered(0, 100));
  broker_->produce(topic_, 0, {{std::nullopt, "{oops"}});
  broker_->produce(topic_, 0, numbered(100, 150));
  broker_->make_topic(topic_ + "-dead", 1);
  const auto done = run_process(
    run(insert, {"--once"},
        "onError: {then: deadLetter}\ndeadLetter: {type: kafka, operation: send, server: broker, "
        "topic: "
          + topic_ + "-dead}\n"));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(effects(), counted(149));
  EXPECT_EQ(offsets(), "[{\"o\":151}]");
  EXPECT_EQ(broker_->read(topic_ + "-dead", 2).size(), 2U);
}

TEST_P(ExactlyOnceTest, StopsAtARecordThatFailsAndCommitsNothingBehindIt) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0, numbered(0, 100));
  const auto done = run_process(run(insert));
  EXPECT_NE(done.code, 0);
  EXPECT_EQ(effects(), counted(13));
  EXPECT_EQ(offsets(), "[{\"o\":13}]");
}

TEST_P(ExactlyOnceTest, LosesAndDoublesNothingWhenTheProcessIsKilled) {
  broker_->make_topic(topic_, 2);
  broker_->produce(topic_, 0, numbered(1000, 3000));
  broker_->produce(topic_, 1, numbered(4000, 6000));
  {
    Process process{run("  - {type: throttle, rate: 2000/s}\n"
                        "  - {type: log, level: info, message: 'at ${$.in.n}'}\n"
                          + std::string{insert},
                        {})};
    ASSERT_TRUE(process.wait_for("at 1500")) << process.err();
    process.signal(SIGKILL);
    process.wait();
  }
  const auto done = run_process(run(insert));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(effects(), counted(4000));
  EXPECT_EQ(offsets(), "[{\"o\":2000},{\"o\":2000}]");
}

TEST_P(ExactlyOnceTest, RollsBackTheTransactionOfWhoWasSupersededAndClaimsAnew) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0, numbered(100, 200));
  Process process{run("  - {type: log, level: info, message: 'at ${$.in.n}'}\n"
                        + std::string{insert}
                        + "  - {type: log, level: info, message: 'done "
                          "with ${$.in.n}'}\n",
                      {})};
  ASSERT_TRUE(process.wait_for("done with 199")) << process.err();
  // As another process does that takes the partition over.
  make("UPDATE millrace_offsets SET epoch = epoch + 1");
  broker_->produce(topic_, 0, numbered(200, 300));
  ASSERT_TRUE(process.wait_for("partition fenced")) << process.err();
  ASSERT_TRUE(process.wait_for("was claimed by another process")) << process.err();
  wait_for_rows(200);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
  EXPECT_EQ(effects(), counted(200));
  EXPECT_EQ(offsets(), "[{\"o\":200}]");
}

TEST_P(ExactlyOnceTest, ReadsAgainWhatADatabaseHasLost) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0, numbered(100, 200));
  Process process{run(insert, {})};
  ASSERT_TRUE(process.wait_for("partitions assigned")) << process.err();
  wait_for_rows(100);
  // As after a crash with synchronous_commit = off: the last transactions are gone as a whole.
  make("DELETE FROM effects WHERE n >= 150");
  make("UPDATE millrace_offsets SET next_offset = 50");
  broker_->produce(topic_, 0, numbered(200, 210));
  ASSERT_TRUE(process.wait_for("has lost what it had committed")) << process.err();
  wait_for_rows(110);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0) << process.err();
  EXPECT_EQ(effects(), counted(110));
  EXPECT_EQ(offsets(), "[{\"o\":110}]");
}

TEST_P(ExactlyOnceTest, RefusesATopicThatBeganAnew) {
  broker_->make_topic(topic_, 1);
  broker_->produce(topic_, 0, numbered(100, 110));
  ASSERT_EQ(run_process(run(insert)).code, 0);
  make("UPDATE millrace_offsets SET next_offset = 500");
  const auto done = run_process(run(insert));
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("begins anew at offset"));
  EXPECT_EQ(effects(), counted(10));
}

}  // namespace
}  // namespace millrace::test
