// Sources without an engine around them: their life on the reactor, whoever ends first.
#include "connectors/asio/reactor.hpp"
#include "connectors/redis/channel_reader.hpp"
#include "connectors/redis/clients.hpp"
#include "connectors/redis/list_reader.hpp"
#include "connectors/redis/source.hpp"
#include "connectors/redis/stream_reader.hpp"
#include "tests/connectors/redis/redis_server.hpp"
#include "tests/support/fake_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

namespace millrace::redis {
namespace {

using testing::ElementsAre;

class RedisSourceTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (const auto& why = test::RedisServer::why_not(); !why.empty())
      GTEST_SKIP() << why;
    server_ = std::make_unique<test::RedisServer>();
    auto settings = std::make_shared<RedisServer>();
    settings->name = "cache";
    settings->host = "127.0.0.1";
    settings->port = server_->port();
    settings->clients = std::make_shared<Clients>();
    settings_ = settings;
  }

  std::unique_ptr<RedisSource> make() const {
    auto receive = std::make_shared<ReceiveConfig>();
    receive->server = settings_;
    receive->consumer = "me";
    auto subscribe = std::make_shared<SubscribeConfig>();
    subscribe->server = settings_;
    subscribe->channels = {"c"};
    if (GetParam() == "Stream") {
      receive->stream = "s";
      receive->field = "json";
    } else {
      receive->list = "l";
    }
    return std::make_unique<RedisSource>(
      settings_, [=, kind = GetParam()](ReaderInput input) -> std::shared_ptr<Reader> {
        if (kind == "Channel")
          return std::make_shared<ChannelReader>(std::move(input), subscribe);
        if (kind == "Stream")
          return std::make_shared<StreamReader>(std::move(input), receive);
        return std::make_shared<ListReader>(std::move(input), receive);
      });
  }

  sdk::SourceContext context(test::FakeEvents& events) const {
    auto context = events.context(false);
    context.reactor = reactor_.get();
    return context;
  }

  void put(const std::string& json) const {
    if (GetParam() == "Stream")
      server_->ask({"XADD", "s", "*", "json", json});
    else if (GetParam() == "List")
      server_->ask({"RPUSH", "l", json});
    else
      while (server_->ask({"PUBLISH", "c", json}).integer == 0) {
      }
  }

  std::unique_ptr<sdk::Reactor> reactor_ = asio::make_reactor({.threads = 1});
  std::unique_ptr<test::RedisServer> server_;
  ServerPtr settings_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, RedisSourceTest, testing::Values("Stream", "List", "Channel"),
                         [](const auto& one) { return one.param; });

TEST_P(RedisSourceTest, GivesWhatComesAndMakesItFinal) {
  test::FakeEvents events;
  const auto source = make();
  ASSERT_TRUE(source->start(context(events)));
  put("1");
  put("[2]");
  ASSERT_TRUE(events.wait_for_records(2));
  source->stop();
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.payloads(), ElementsAre("1", "[2]"));
  const auto& last = events.intakes().back();
  source->settled(*last.lane, last.records.back().position);
  std::promise<void> done;
  source->finish([&] { done.set_value(); });
  done.get_future().wait();
  if (GetParam() == "Stream") {
    EXPECT_EQ(server_->ask({"XPENDING", "s", "test"}).items.front().integer, 0);
  }
  EXPECT_EQ(server_->ask({"LLEN", "l:processing:me"}).integer, 0);
  EXPECT_FALSE(events.late());
}

TEST_P(RedisSourceTest, MayEndAtAnyMoment) {
  for (int round = 0; round < 20; ++round) {
    test::FakeEvents events;
    auto source = make();
    ASSERT_TRUE(source->start(context(events)));
    if (round % 4 == 1)
      source->stop();
    if (round % 4 == 2)
      put("1");
    // A connection that is just ending may be the one that hears a channel.
    if (round % 4 == 3 && GetParam() != "Channel") {
      put("1");
      ASSERT_TRUE(events.wait_for_records(1));
      source->settled(*events.intakes().front().lane, 0);
    }
    source.reset();
  }
}

TEST_P(RedisSourceTest, EndsWhenTheReactorEndedBeforeItsConnections) {
  test::FakeEvents events;
  auto source = make();
  ASSERT_TRUE(source->start(context(events)));
  put("1");
  ASSERT_TRUE(events.wait_for_records(1));
  reactor_->stop();
  source.reset();
}

TEST_P(RedisSourceTest, GivesAListToOneReaderOfAName) {
  if (GetParam() != "List")
    return;  // a group may have a consumer twice
  test::FakeEvents first_events;
  const auto first = make();
  ASSERT_TRUE(first->start(context(first_events)));
  put("1");
  ASSERT_TRUE(first_events.wait_for_records(1));
  test::FakeEvents second_events;
  const auto second = make();
  ASSERT_TRUE(second->start(context(second_events)));
  // What the first one left unsettled.
  ASSERT_TRUE(second_events.wait_for_records(1));
  put("2");
  ASSERT_TRUE(second_events.wait_for_records(2));
  ASSERT_TRUE(first_events.wait_for_end());
  ASSERT_TRUE(first_events.failed());
  EXPECT_EQ(first_events.failed()->code(), "SUPERSEDED");
  EXPECT_FALSE(first_events.failed()->retryable());
  EXPECT_EQ(first_events.records(), 1U);
}

TEST_P(RedisSourceTest, FailsAtOnceWhereNobodyAnswers) {
  server_->kill();
  test::FakeEvents events;
  const auto source = make();
  ASSERT_TRUE(source->start(context(events)));
  ASSERT_TRUE(events.wait_for_end());
  const auto error = events.failed();
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->retryable()) << error->to_string();
}

}  // namespace
}  // namespace millrace::redis
