// The client that all steps of a server share: pipelining, loss, limits of time, refusals.
#include "connectors/asio/reactor.hpp"
#include "connectors/redis/clients.hpp"
#include "tests/connectors/redis/redis_server.hpp"
#include "tests/connectors/redis/scripted_server.hpp"
#include "tests/support/fault_proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using test::Fault;
using test::FaultProxy;
using test::ScriptedServer;
using testing::HasSubstr;

// Keeps the answers, in the order in which they came.
class Answers final : public Caller {
public:
  void on_answer(std::uint32_t index, sdk::Result<Reply> answer) override {
    const std::lock_guard lock{mutex_};
    order_.push_back(index);
    answers_.emplace(index, std::move(answer));
    changed_.notify_all();
  }

  bool wait_for(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 60s, [&] { return order_.size() >= count; });
  }

  const sdk::Result<Reply>& of(std::uint32_t index) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, 60s, [&] { return answers_.contains(index); });
    return answers_.at(index);
  }

  const std::vector<std::uint32_t>& order() const { return order_; }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint32_t> order_;
  std::map<std::uint32_t, sdk::Result<Reply>> answers_;
};

class RedisClientTest : public testing::Test {
protected:
  std::shared_ptr<RedisServer> settings(std::uint16_t port) {
    auto settings = std::make_shared<RedisServer>();
    settings->name = "cache";
    settings->host = "127.0.0.1";
    settings->port = port;
    settings->timeout = 20s;
    settings->clients = std::make_shared<Clients>();
    return settings;
  }

  void connect(const std::shared_ptr<RedisServer>& settings) {
    client_ = *settings->clients->get(settings, *reactor_, sdk::silent_log());
  }

  Request request(const std::vector<std::string>& words, bool repeatable) {
    Request request{.caller = answers_, .index = next_++, .is_repeatable = repeatable};
    append_command(request.bytes, words);
    return request;
  }

  /// Its index.
  std::uint32_t call(const std::vector<std::string>& words, bool repeatable = true) {
    std::vector<Request> requests;
    requests.push_back(request(words, repeatable));
    const auto index = requests.front().index;
    client_->call(std::move(requests));
    return index;
  }

  std::unique_ptr<sdk::Reactor> reactor_ = asio::make_reactor({.threads = 1});
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::shared_ptr<Client> client_;
  std::uint32_t next_ = 0;
};

#define NEEDS_REDIS()                                                                              \
  if (const auto& why = test::RedisServer::why_not(); !why.empty())                                \
  GTEST_SKIP() << why

TEST_F(RedisClientTest, PipelinesOverOneConnectionAndAnswersInOrder) {
  NEEDS_REDIS();
  const test::RedisServer server;
  connect(settings(server.port()));
  constexpr std::size_t batches = 50;
  constexpr std::size_t size = 400;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    std::vector<Request> requests;
    for (std::size_t i = 0; i < size; ++i)
      requests.push_back(request({"INCR", "n"}, false));
    client_->call(std::move(requests));
  }
  ASSERT_TRUE(answers_->wait_for(batches * size));
  for (std::uint32_t i = 0; i < batches * size; ++i) {
    ASSERT_EQ(answers_->order()[i], i);
    ASSERT_EQ(answers_->of(i)->integer, static_cast<std::int64_t>(i) + 1);
  }
  const auto clients = server.ask({"CLIENT", "LIST"}).text;
  EXPECT_THAT(clients, HasSubstr("name=millrace"));
  EXPECT_EQ(clients.find("name=millrace"), clients.rfind("name=millrace"));
}

TEST_F(RedisClientTest, SendsAgainOnlyWhatMayBeSentAgainWhenASocketIsCut) {
  NEEDS_REDIS();
  const test::RedisServer server;
  FaultProxy proxy{{.host = "127.0.0.1", .port = server.port()}};
  proxy.expect(
    Fault{.kind = Fault::Kind::cut, .direction = test::Direction::to_server, .at = "marker"});
  connect(settings(proxy.port()));
  std::vector<Request> requests;
  requests.push_back(request({"SET", "a", "1"}, true));
  requests.push_back(request({"INCR", "marker"}, false));
  requests.push_back(request({"SET", "b", "2"}, true));
  client_->call(std::move(requests));

  EXPECT_TRUE(answers_->of(0).has_value());
  EXPECT_TRUE(answers_->of(2).has_value());
  const auto& unknown = answers_->of(1);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_TRUE(unknown.error().outcome_unknown());
  EXPECT_FALSE(unknown.error().retryable());
  EXPECT_THAT(unknown.error().message(), HasSubstr("it may have been carried out"));
  EXPECT_EQ(server.ask({"GET", "b"}).text, "2");
}

TEST_F(RedisClientTest, LosesNothingWhenTheServerIsKilledUnderLoad) {
  NEEDS_REDIS();
  test::RedisServer server;
  connect(settings(server.port()));
  constexpr std::uint32_t count = 3'000;
  for (std::uint32_t i = 0; i < count; ++i) {
    call({"SET", "k" + std::to_string(i), std::to_string(i)});
    if (i % 1'000 == 500) {
      server.kill();
      server.start();
    }
  }
  ASSERT_TRUE(answers_->wait_for(count));
  for (std::uint32_t i = 0; i < count; ++i)
    ASSERT_TRUE(answers_->of(i).has_value()) << answers_->of(i).error().to_string();
  EXPECT_EQ(server.ask({"DBSIZE"}).integer, count);
}

TEST_F(RedisClientTest, SaysThatItCannotReachAServerThatIsAwayAndGoesOnWhenItIsBack) {
  NEEDS_REDIS();
  test::RedisServer server;
  server.kill();
  auto impatient = settings(server.port());
  impatient->timeout = 100ms;
  connect(impatient);
  const auto& away = answers_->of(call({"GET", "a"}));
  ASSERT_FALSE(away.has_value());
  EXPECT_EQ(away.error().kind(), ErrorKind::connection);
  EXPECT_TRUE(away.error().retryable());
  EXPECT_FALSE(away.error().outcome_unknown());
  EXPECT_THAT(away.error().message(), HasSubstr("server 'cache'"));

  server.start();
  // It may take some tries until the next connection is made.
  while (!answers_->of(call({"GET", "a"})).has_value()) {
  }
}

TEST_F(RedisClientTest, GivesUpASilentServerAndFindsItAgain) {
  NEEDS_REDIS();
  test::RedisServer server;
  auto impatient = settings(server.port());
  impatient->timeout = 300ms;
  connect(impatient);
  while (!answers_->of(call({"PING"})).has_value()) {
  }
  server.freeze();
  const auto& unknown = answers_->of(call({"INCR", "n"}, false));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().kind(), ErrorKind::timeout);
  EXPECT_TRUE(unknown.error().outcome_unknown());
  server.thaw();
  while (!answers_->of(call({"PING"})).has_value()) {
  }
}

TEST_F(RedisClientTest, TellsAWrongPasswordFromAMissingOneAndBothAtOnce) {
  NEEDS_REDIS();
  const test::RedisServer server{{"--requirepass", "open"}};
  auto missing = settings(server.port());
  connect(missing);
  const auto& none = answers_->of(call({"GET", "a"}));
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), "NOAUTH");
  EXPECT_FALSE(none.error().retryable());
  EXPECT_THAT(none.error().hint(), HasSubstr("securitySchemes"));

  auto wrong = settings(server.port());
  wrong->password = sdk::Secret{"shut"};
  connect(wrong);
  const auto& refused = answers_->of(call({"GET", "a"}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), "WRONGPASS");
  EXPECT_THAT(refused.error().to_string(), Not(HasSubstr("shut")));

  auto right = settings(server.port());
  right->password = sdk::Secret{"open"};
  connect(right);
  EXPECT_TRUE(answers_->of(call({"GET", "a"})).has_value());
}

TEST_F(RedisClientTest, SaysWhatAUserMayNotDo) {
  NEEDS_REDIS();
  const test::RedisServer server;
  server.ask({"ACL", "SETUSER", "ada", "on", ">pw", "~*", "+@all", "-set"});
  auto limited = settings(server.port());
  limited->username = "ada";
  limited->password = sdk::Secret{"pw"};
  limited->database = 3;
  connect(limited);
  EXPECT_TRUE(answers_->of(call({"GET", "a"})).has_value());
  const auto& refused = answers_->of(call({"SET", "a", "1"}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), "NOPERM");
  EXPECT_FALSE(refused.error().retryable());
}

TEST_F(RedisClientTest, RefusesAReplyThatIsTooLargeAndGoesOnWithTheOthers) {
  NEEDS_REDIS();
  const test::RedisServer server;
  server.ask({"SET", "big", std::string(300'000, 'x')});
  auto small = settings(server.port());
  small->max_reply = 100'000;
  connect(small);
  std::vector<Request> requests;
  requests.push_back(request({"PING"}, true));
  requests.push_back(request({"GET", "big"}, true));
  requests.push_back(request({"PING"}, true));
  client_->call(std::move(requests));
  EXPECT_TRUE(answers_->of(0).has_value());
  EXPECT_TRUE(answers_->of(2).has_value());
  const auto& large = answers_->of(1);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().kind(), ErrorKind::data);
  EXPECT_THAT(large.error().message(), HasSubstr("maxReply"));
}

TEST_F(RedisClientTest, CarriesHugeTextsBothWays) {
  NEEDS_REDIS();
  const test::RedisServer server;
  connect(settings(server.port()));
  const std::string huge(20'000'000, 'z');
  ASSERT_TRUE(answers_->of(call({"SET", "huge", huge})).has_value());
  EXPECT_EQ(answers_->of(call({"GET", "huge"}))->text, huge);
}

TEST_F(RedisClientTest, ConnectsAnewAfterGarbage) {
  NEEDS_REDIS();
  const test::RedisServer server;
  FaultProxy proxy{{.host = "127.0.0.1", .port = server.port()}};
  proxy.expect(Fault{.kind = Fault::Kind::garble, .at = "first"});
  connect(settings(proxy.port()));
  // The first answer passes, what follows it does not.
  EXPECT_EQ(answers_->of(call({"ECHO", "first"}))->text, "first");
  for (int i = 0; i < 20; ++i)
    call({"SET", "k" + std::to_string(i), "v"});
  ASSERT_TRUE(answers_->wait_for(21));
  EXPECT_GE(proxy.accepted(), 2U);
  EXPECT_EQ(answers_->of(call({"GET", "k19"}))->text, "v");
}

TEST_F(RedisClientTest, WaitsForAServerThatIsLoading) {
  int asked = 0;
  const ScriptedServer server{[&](int, const std::vector<std::string>&) {
    return ++asked <= 3 ? "-LOADING Redis is loading the dataset in memory\r\n" : "+OK\r\n";
  }};
  connect(settings(server.port()));
  // Not even what may not be repeated was carried out.
  EXPECT_EQ(answers_->of(call({"INCR", "n"}, false))->text, "OK");
  EXPECT_EQ(asked, 4);
}

TEST_F(RedisClientTest, LeavesAReplicaForTheNewPrimary) {
  const ScriptedServer server{[&](int connection, const std::vector<std::string>&) {
    return connection == 0 ? "-READONLY You can't write against a read only replica.\r\n"
                           : "+OK\r\n";
  }};
  connect(settings(server.port()));
  EXPECT_EQ(answers_->of(call({"INCR", "n"}, false))->text, "OK");
}

TEST_F(RedisClientTest, SpeaksTheOldProtocolToAnOldServer) {
  std::vector<std::string> seen;
  const ScriptedServer server{
    [&](int, const std::vector<std::string>& command) {
      seen.push_back(command[0]);
      return command[0] == "HELLO" ? "-ERR unknown command `HELLO`, with args beginning with: "
                                     "`3`, \r\n"
                                   : "+OK\r\n";
    },
    false};
  auto old = settings(server.port());
  old->password = sdk::Secret{"pw"};
  old->database = 2;
  connect(old);
  EXPECT_EQ(answers_->of(call({"SET", "a", "1"}))->text, "OK");
  EXPECT_THAT(seen, testing::ElementsAre("HELLO", "AUTH", "CLIENT", "SELECT", "SET"));
}

TEST_F(RedisClientTest, GivesUpACommandThatEndsEveryConnection) {
  const ScriptedServer server{[](int, const std::vector<std::string>& command) {
    return command[0] == "PING" ? "+PONG\r\n" : "";
  }};
  connect(settings(server.port()));
  const auto& lost = answers_->of(call({"GET", "poison"}));
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().attempts(), 3U);
  EXPECT_TRUE(answers_->of(call({"PING"})).has_value());
}

TEST_F(RedisClientTest, NeverShowsTheArgumentsThatAServerQuotes) {
  const ScriptedServer server{[](int, const std::vector<std::string>&) {
    return "-ERR unknown command 'NOPE', with args beginning with: 'my-secret' \r\n";
  }};
  connect(settings(server.port()));
  const auto& refused = answers_->of(call({"NOPE", "my-secret"}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().to_string(), Not(HasSubstr("my-secret")));
}

TEST_F(RedisClientTest, AnswersWhatIsOpenWhenItGoes) {
  const ScriptedServer server{[](int, const std::vector<std::string>&) { return ":"; }};
  connect(settings(server.port()));
  const auto index = call({"GET", "a"});
  client_.reset();
  const auto& cancelled = answers_->of(index);
  ASSERT_FALSE(cancelled.has_value());
  EXPECT_EQ(cancelled.error().kind(), ErrorKind::cancelled);
}

}  // namespace
}  // namespace millrace::redis
