#include "tests/support/fault_proxy.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A socket that is closed with its owner, and reads with a limit of time.
class Socket {
public:
  explicit Socket(int fd) : fd_{fd} {
    const timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  ~Socket() { ::close(fd_); }

  int fd() const { return fd_; }

  void write(std::string_view text) const { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }

  /// So many bytes; fewer where it ended. "!" where it was reset.
  std::string read(std::size_t size) const {
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.size() < size) {
      const auto got = ::recv(fd_, buffer.data(), std::min(buffer.size(), size - text.size()), 0);
      if (got < 0)
        return text + "!";
      if (got == 0)
        return text;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  bool has_something() const {
    char byte = 0;
    return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }

private:
  int fd_;
};

class FaultProxyTest : public testing::Test {
protected:
  FaultProxyTest() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(listener_, raw, size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, raw, &size), 0);
    proxy_ = std::make_unique<FaultProxy>(Endpoint{"127.0.0.1", ntohs(address.sin_port)});
  }

  ~FaultProxyTest() override { ::close(listener_); }

  void connect() {
    const auto before = proxy_->accepted();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(proxy_->port());
    client_ = std::make_unique<Socket>(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(client_->fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    server_ = std::make_unique<Socket>(::accept(listener_, nullptr, nullptr));
    while (proxy_->accepted() == before)  // it connects before it counts
      std::this_thread::yield();
  }

  void connect_with(const Fault& fault) {
    proxy_->expect(fault);
    connect();
  }

  int listener_ = -1;
  std::unique_ptr<FaultProxy> proxy_;
  std::unique_ptr<Socket> client_;
  std::unique_ptr<Socket> server_;
};

TEST_F(FaultProxyTest, PassesEverythingWhereNothingIsPlanned) {
  connect();
  client_->write("ping");
  EXPECT_EQ(server_->read(4), "ping");
  server_->write("pong");
  EXPECT_EQ(client_->read(4), "pong");
  server_.reset();
  EXPECT_EQ(client_->read(1), "");
}

TEST_F(FaultProxyTest, CutsAtAByteCount) {
  connect_with({.kind = Fault::Kind::cut, .direction = Direction::to_client, .after = 3});
  server_->write("abcdef");
  EXPECT_EQ(client_->read(6), "abc!");
  EXPECT_EQ(server_->read(1), "!");
  EXPECT_EQ(proxy_->struck(), 1U);
}

TEST_F(FaultProxyTest, FindsTheTextAtWhichToStrikeInPieces) {
  connect_with({.kind = Fault::Kind::close, .direction = Direction::to_server, .at = "COMMIT"});
  client_->write("xxCOM");
  EXPECT_EQ(server_->read(5), "xxCOM");
  client_->write("MITyy");
  EXPECT_EQ(server_->read(5), "MIT");
  EXPECT_EQ(client_->read(1), "");
}

TEST_F(FaultProxyTest, ClosesOneDirectionAlone) {
  connect_with({.kind = Fault::Kind::half_close, .direction = Direction::to_server, .after = 2});
  client_->write("ab");
  EXPECT_EQ(server_->read(3), "ab");
  server_->write("still here");
  EXPECT_EQ(client_->read(10), "still here");
}

TEST_F(FaultProxyTest, StallsUntilItIsHealed) {
  connect();
  proxy_->strike({.kind = Fault::Kind::stall, .direction = Direction::to_client});
  server_->write("late");
  client_->write("x");
  EXPECT_EQ(server_->read(1), "x");  // the other direction passes
  EXPECT_FALSE(client_->has_something());
  proxy_->heal();
  EXPECT_EQ(client_->read(4), "late");
}

TEST_F(FaultProxyTest, DelaysAndTrickles) {
  connect_with({.kind = Fault::Kind::delay, .direction = Direction::to_client, .pause = 30ms});
  const auto began = Clock::now();
  server_->write("late");
  EXPECT_EQ(client_->read(4), "late");
  EXPECT_GE(Clock::now() - began, 30ms);

  connect_with({.kind = Fault::Kind::trickle, .direction = Direction::to_client, .pause = 5ms});
  const auto trickled = Clock::now();
  server_->write("drop");
  EXPECT_EQ(client_->read(4), "drop");
  EXPECT_GE(Clock::now() - trickled, 15ms);
}

TEST_F(FaultProxyTest, GarblesWhatComesBehind) {
  connect_with({.kind = Fault::Kind::garble, .direction = Direction::to_client, .after = 2});
  server_->write("abcdef");
  const auto got = client_->read(6);
  EXPECT_EQ(got.substr(0, 2), "ab");
  for (std::size_t i = 2; i < 6; ++i)
    EXPECT_NE(got[i], "abcdef"[i]);
}

TEST_F(FaultProxyTest, RefusesWhenItIsToldTo) {
  connect();
  proxy_->refuse(true);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(proxy_->port());
  const Socket refused{::socket(AF_INET, SOCK_STREAM, 0)};
  static_cast<void>(::connect(refused.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address));
  const auto got = refused.read(1);
  EXPECT_TRUE(got == "!" || got.empty());
  client_->write("on");
  EXPECT_EQ(server_->read(2), "on");
}

}  // namespace
}  // namespace millrace::test
