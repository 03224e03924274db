// The client's pipeline as an HTTP service, with its SQL on the embedded SQLite, as the tutorial
// has it.
#include "tests/connectors/http/client.hpp"
#include "tests/runtime/millrace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>

namespace millrace::test {
namespace {

using testing::HasSubstr;

TEST(HttpLoyaltyTest, AnswersScoresAndTakesOrders) {
  auto launch = millrace_launch({"run", MILLRACE_SOURCE_DIR "/config/pipelines/loyalty-http.yaml"});
  launch.environment = {{"LISTEN", "http://127.0.0.1:0"}};
  Process process{launch};
  ASSERT_TRUE(process.wait_for("http route opened pipeline=loyalty-score")) << process.err();
  ASSERT_TRUE(process.wait_for("http route opened pipeline=add-order")) << process.err();
  const auto& said = process.err();
  const auto port = std::atoi(said.c_str() + said.find("port=") + 5);

  Client client{static_cast<std::uint16_t>(port)};
  EXPECT_EQ(client.ask(request("GET", "/customers/1/loyalty")).body,
            "{\"customerId\":1,\"score\":9}");
  const auto none = client.ask(request("GET", "/customers/8/loyalty"));
  EXPECT_EQ(none.body, "{\"customerId\":8,\"score\":0}");
  EXPECT_EQ(none.headers.at("cache-control"), "no-store");
  EXPECT_EQ(client.ask(request("GET", "/customers/nobody/loyalty")).status, 422);

  const auto created = client.ask(request("POST", "/customers/8/orders", "{\"points\":25}"));
  EXPECT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.body, "{\"customerId\":8,\"points\":25}");
  EXPECT_EQ(client.ask(request("GET", created.headers.at("location"))).body,
            "{\"customerId\":8,\"score\":1}");
  const auto refused = client.ask(request("POST", "/customers/8/orders", "{\"points\":-1}"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("an order has points, more than 0"));

  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().code, 0);
}

}  // namespace
}  // namespace millrace::test
