// The client's pipeline between two topics, with its SQL on the embedded SQLite.
#include "tests/connectors/kafka/broker.hpp"
#include "tests/runtime/millrace.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace millrace::test {
namespace {

TEST(KafkaLoyaltyTest, ReadsCustomersAsksSqlAndPublishesScores) {
  Broker broker{"mock"};
  broker.make_topic("customers", 2);
  broker.make_topic("scores", 2);
  broker.make_topic("customers.dlq", 1);
  broker.produce("customers", 0,
                 {{"1", "{\"customerId\":1}"}, {"x", "{oops"}, {"2", "{\"customerId\":2}"}});
  broker.produce("customers", 1, {{"3", "{\"customerId\":3}"}});
  auto launch = millrace_launch(
    {"run", "--once", MILLRACE_SOURCE_DIR "/config/pipelines/loyalty-kafka.yaml"});
  launch.environment = {{"KAFKA_URL", broker.url()}};
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << done.err;

  std::map<std::string, std::string> scores;
  for (const auto& message : broker.read("scores", 3))
    scores[message.key.value_or("")] = message.value.value_or("");
  EXPECT_EQ(scores, (std::map<std::string, std::string>{{"1", "{\"customerId\":1,\"score\":9}"},
                                                        {"2", "{\"customerId\":2,\"score\":6}"},
                                                        {"3", "{\"customerId\":3,\"score\":4}"}}));
  const auto dead = broker.read("customers.dlq", 1);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_NE(dead[0].value->find("{oops"), std::string::npos) << *dead[0].value;
}

}  // namespace
}  // namespace millrace::test
