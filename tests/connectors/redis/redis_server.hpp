// RedisServer: a throw-away redis-server for tests, stopped and removed at its end; and a plain
// client to look into it.
//
//   if (const auto reason = RedisServer::why_not(); !reason.empty()) GTEST_SKIP() << reason;
//   RedisServer server;
//   EXPECT_EQ(server.ask({"GET", "a"}).text, "1");
#pragma once

#include "connectors/redis/resp.hpp"
#include "tests/support/scratch.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace millrace::test {

class RedisServer {
public:
  /// Why there can be none here; empty: there can. Printed once, loudly.
  static const std::string& why_not();

  /// @param settings more arguments for redis-server: {"--requirepass", "secret"}.
  explicit RedisServer(std::vector<std::string> settings = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  /// Without credentials: "redis://127.0.0.1:7000".
  std::string url() const;

  /// Stops at once (as a crash does); starts again with what was saved, on the same port.
  void kill();
  void start();

  /// It stops answering, and goes on.
  void freeze();
  void thaw();

  /// Over a connection of its own, which `as` may prepare ({"AUTH", "secret"}).
  redis::Reply ask(const std::vector<std::string>& command,
                   const std::vector<std::string>& as = {}) const;

  const std::string& folder() const noexcept { return folder_; }

private:
  Scratch scratch_;
  std::string folder_;
  std::vector<std::string> settings_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace millrace::test
