// How a connection is found: names that hang, hosts that never answer, addresses that are dead.
#include "connectors/asio/reactor.hpp"
#include "connectors/postgres/dialer.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/postgres.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Dialed {
  ConnectionPtr connection;
  std::optional<DialFailure> failure;
};

// Takes connections, and never says a word.
class MuteServer {
public:
  explicit MuteServer(const char* address = "127.0.0.1", std::uint16_t port = 0) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &where.sin_addr);
    socklen_t size = sizeof where;
    auto* raw = reinterpret_cast<sockaddr*>(&where);
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(socket_, raw, size), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    ::getsockname(socket_, raw, &size);
    port_ = ntohs(where.sin_port);
  }

  MuteServer(const MuteServer&) = delete;
  MuteServer& operator=(const MuteServer&) = delete;

  ~MuteServer() { ::close(socket_); }

  std::uint16_t port() const { return port_; }

private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

class DialerTest : public testing::Test {
protected:
  void SetUp() override {
    server_ = test::PostgresServer::shared();
    if (server_ == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    // The shared server may be given by its socket alone: through the proxy it has an address.
    proxy_ = std::make_unique<test::FaultProxy>(test::Endpoint{server_->host(), server_->port()});
    settings_.user = server_->user();
    settings_.dbname = server_->dbname();
    settings_.connect_timeout = 5s;
  }

  ~DialerTest() override {
    gate_->shut();  // what is released now finds no loop
    hanging_.set_value();
    if (reactor_)
      reactor_->stop();
  }

  std::future<Dialed> dial(std::vector<sdk::DatabaseHost> hosts) {
    settings_.hosts = std::move(hosts);
    auto promise = std::make_shared<std::promise<Dialed>>();
    auto& loop = reactor_->loop();
    loop.post([this, settings = settings_, promise, &loop] {
      dialer_ = std::make_shared<Dialer>(
        settings, loop, gate_,
        [promise](ConnectionPtr connection, std::optional<DialFailure> failure) {
          promise->set_value({std::move(connection), std::move(failure)});
        },
        *resolver_);
      dialer_->start();
    });
    return promise->get_future();
  }

  Dialed get(std::future<Dialed> dialed) {
    if (dialed.wait_for(20s) != std::future_status::ready) {
      ADD_FAILURE() << "it never came to an end";
      std::abort();
    }
    return dialed.get();
  }

  // Never freed, and never out of reach.
  static asio::Resolver* keep(asio::Resolver* one) {
    static auto& kept = *new std::vector<asio::Resolver*>;
    kept.push_back(one);
    return one;
  }

  // Outlives its look-ups, as the one of the process does.
  std::promise<void> hanging_;
  std::shared_future<void> released_ = hanging_.get_future().share();
  asio::Resolver* resolver_ = keep(
    new asio::Resolver{[released = released_](const std::string& name) -> asio::ResolvedName {
      if (name == "hangs")
        released.wait();
      if (name == "two")
        return std::vector<std::string>{"127.0.0.9", "127.0.0.1"};
      if (name == "unknown")
        return sdk::Error{sdk::ErrorKind::connection, "Name or service not known"};
      return std::vector<std::string>{"127.0.0.1"};
    }});
  test::PostgresServer* server_ = nullptr;
  std::unique_ptr<test::FaultProxy> proxy_;
  sdk::DatabaseSettings settings_;
  std::unique_ptr<sdk::Reactor> reactor_ = asio::make_reactor({.threads = 1});
  std::shared_ptr<sdk::LoopGate> gate_ = std::make_shared<sdk::LoopGate>(reactor_->loop());
  std::shared_ptr<Dialer> dialer_;
};

TEST_F(DialerTest, IsNotHeldUpByANameThatHangs) {
  settings_.connect_timeout = 20s;
  auto hangs = dial({{"hangs", proxy_->port()}});
  auto works = dial({{"works", proxy_->port()}});

  EXPECT_TRUE(get(std::move(works)).connection);
  EXPECT_EQ(hangs.wait_for(0s), std::future_status::timeout);
}

TEST_F(DialerTest, GoesOnToTheNextHostWhereANameHangs) {
  settings_.connect_timeout = 200ms;
  const auto failed = get(dial({{"hangs", proxy_->port()}}));
  ASSERT_TRUE(failed.failure);
  EXPECT_NE(failed.failure->error.message().find("within 200 ms"), std::string::npos)
    << failed.failure->error.message();
  for (int i = 0; i < 8; ++i)  // whatever their order
    EXPECT_TRUE(get(dial({{"hangs", proxy_->port()}, {"works", proxy_->port()}})).connection);
}

TEST_F(DialerTest, ForgetsALookUpThatOutlivesItsLoop) {
  auto hangs = dial({{"hangs", proxy_->port()}});
  std::promise<void> begun;
  reactor_->loop().post([&begun] { begun.set_value(); });
  begun.get_future().get();
  gate_->shut();
  dialer_.reset();  // its timer holds it until the loop goes
  reactor_.reset();
  EXPECT_THROW(hangs.get(), std::future_error) << "it was answered";
}

TEST_F(DialerTest, GivesEachHostItsOwnTime) {
  const MuteServer one;
  const MuteServer two;
  settings_.connect_timeout = 150ms;
  const auto began = Clock::now();
  const auto failed = get(dial({{"127.0.0.1", one.port()}, {"127.0.0.1", two.port()}}));
  EXPECT_GE(Clock::now() - began, 300ms);
  ASSERT_TRUE(failed.failure);
  EXPECT_TRUE(failed.failure->error.retryable());
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(get(dial({{"127.0.0.1", one.port()}, {"works", proxy_->port()}})).connection);
}

TEST_F(DialerTest, LeavesTimeForTheOtherAddressesOfAName) {
  const MuteServer dead{"127.0.0.9", proxy_->port()};
  settings_.connect_timeout = 1s;
  const auto began = Clock::now();
  EXPECT_TRUE(get(dial({{"two", proxy_->port()}})).connection);
  EXPECT_GE(Clock::now() - began, 500ms);
}

TEST_F(DialerTest, NamesEveryHostThatItCouldNotUse) {
  settings_.connect_timeout = 2s;
  const auto failed = get(dial({{"unknown", 1}, {"127.0.0.1", 1}}));
  ASSERT_TRUE(failed.failure);
  const auto& message = failed.failure->error.message();
  EXPECT_NE(message.find("the name of unknown:1 cannot be resolved: Name or service not known"),
            std::string::npos)
    << message;
  EXPECT_NE(message.find("127.0.0.1: "), std::string::npos) << message;
}

TEST_F(DialerTest, SurvivesEveryFaultWhileItConnects) {
  using test::Direction;
  using test::Fault;
  settings_.connect_timeout = 300ms;
  for (const auto kind : {Fault::Kind::cut, Fault::Kind::close, Fault::Kind::half_close,
                          Fault::Kind::stall, Fault::Kind::garble}) {
    for (const auto direction : {Direction::to_server, Direction::to_client}) {
      for (const std::uint64_t after : {0, 1, 5, 9, 30, 100}) {
        SCOPED_TRACE("kind " + std::to_string(static_cast<int>(kind)) + " direction "
                     + std::to_string(static_cast<int>(direction)) + " after "
                     + std::to_string(after));
        proxy_->expect(Fault{.kind = kind, .direction = direction, .after = after});
        const auto dialed = get(dial({{"127.0.0.1", proxy_->port()}}));
        // The fault may lie behind what connecting needs.
        EXPECT_NE(dialed.connection == nullptr, dialed.failure == std::nullopt);
        if (dialed.failure) {
          EXPECT_EQ(dialed.failure->error.kind(), sdk::ErrorKind::connection);
        }
      }
    }
  }
}

}  // namespace
}  // namespace millrace::postgres
