// A service manager in the place of systemd: a socket that hears what the process says of itself.
#include "tests/runtime/admin_process.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class FakeSystemd {
public:
  explicit FakeSystemd(const std::string& path)
    : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;

  ~FakeSystemd() { ::close(socket_); }

  /// Listens until that was said, for 30 s at most.
  bool hears(std::string_view text) {
    pollfd waiting{socket_, POLLIN, 0};
    while (said_.find(text) == std::string::npos) {
      if (::poll(&waiting, 1, 30'000) <= 0)
        return false;
      std::array<char, 4096> buffer{};
      const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (got > 0)
        said_.append(buffer.data(), static_cast<std::size_t>(got)).append("\n");
    }
    return true;
  }

  const std::string& said() const { return said_; }

  void forget() { said_.clear(); }

private:
  int socket_;
  std::string said_;
};

class ServiceManagerTest : public testing::Test {
protected:
  std::string pipeline(int value) {
    return scratch_.write("p.yaml", "name: p\nsteps:\n"
                                    "  - {name: tick, type: timer, operation: every, every: 1h}\n"
                                    "  - {name: shape, type: transform, set: {a: "
                                      + std::to_string(value) + "}}\n  - {type: drop}\n");
  }

  Launch launch(std::vector<std::pair<std::string, std::string>> environment = {}) {
    auto launch = millrace_launch({"run", pipeline(1)});
    launch.environment.emplace_back("NOTIFY_SOCKET", scratch_.path("notify"));
    for (auto& variable : environment)
      launch.environment.push_back(std::move(variable));
    return launch;
  }

  Scratch scratch_;
  FakeSystemd systemd_{scratch_.path("notify")};
};

TEST_F(ServiceManagerTest, IsToldWhenTheProcessIsReadyAndWhenItStops) {
  Process process{launch()};
  ASSERT_TRUE(systemd_.hears("READY=1")) << process.err();
  EXPECT_THAT(systemd_.said(), Not(HasSubstr("STOPPING=1")));
  process.signal(SIGTERM);
  ASSERT_TRUE(systemd_.hears("STOPPING=1"));
  EXPECT_EQ(process.wait().code, 0);
  EXPECT_THAT(systemd_.said(), Not(HasSubstr("WATCHDOG=1")));
}

TEST_F(ServiceManagerTest, IsToldThatTheProcessLivesAsOftenAsItWants) {
  const Process process{launch({{"WATCHDOG_USEC", "100000"}})};
  ASSERT_TRUE(systemd_.hears("WATCHDOG=1"));
  for (int i = 0; i < 3; ++i) {
    systemd_.forget();
    ASSERT_TRUE(systemd_.hears("WATCHDOG=1"));
  }
}

TEST_F(ServiceManagerTest, AWatchdogOfAnotherProcessIsNoneOfOurs) {
  Process process{launch({{"WATCHDOG_USEC", "1000"}, {"WATCHDOG_PID", "1"}})};
  ASSERT_TRUE(systemd_.hears("READY=1"));
  process.signal(SIGTERM);
  ASSERT_TRUE(systemd_.hears("STOPPING=1"));
  process.wait();
  EXPECT_THAT(systemd_.said(), Not(HasSubstr("WATCHDOG=1")));
}

TEST_F(ServiceManagerTest, IsToldOfAReloadAndItsEnd) {
  const Process process{launch()};
  ASSERT_TRUE(systemd_.hears("READY=1"));
  systemd_.forget();
  pipeline(2);
  process.signal(SIGHUP);
  ASSERT_TRUE(systemd_.hears("RELOADING=1"));
  EXPECT_THAT(systemd_.said(), HasSubstr("MONOTONIC_USEC="));
  ASSERT_TRUE(systemd_.hears("READY=1"));
}

TEST_F(ServiceManagerTest, AStartThatWaitsForADatabaseAsksForMoreTime) {
  auto starting = launch();
  starting.arguments.back() = scratch_.write(
    "down.yaml", "name: p\n"
                 "servers: {db: {url: 'postgresql://nobody@127.0.0.1:1/none', init: SELECT 1}}\n"
                 "steps:\n"
                 "  - {name: tick, type: timer, operation: every, every: 1h}\n"
                 "  - {name: q, type: database, operation: executeSql, server: db, query: SELECT "
                 "1, parameters: []}\n");
  Process process{starting};
  ASSERT_TRUE(systemd_.hears("EXTEND_TIMEOUT_USEC="));
  ASSERT_TRUE(process.wait_for("its init waits")) << process.err();
  EXPECT_THAT(systemd_.said(), Not(HasSubstr("READY=1")));
}

TEST(ServiceUnitTest, IsNotifiedAndWatched) {
  std::ifstream in{MILLRACE_SOURCE_DIR "/packaging/systemd/millrace.service"};
  const std::string unit{std::istreambuf_iterator<char>{in}, {}};
  for (const auto* line : {"\nType=notify\n", "\nWatchdogSec=", "\nExecReload=/bin/kill -HUP",
                           "\nExecStart=/usr/bin/millrace run --config "})
    EXPECT_THAT(unit, HasSubstr(line));
}

}  // namespace
}  // namespace millrace::test
