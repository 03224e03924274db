// PostgresServer: a throw-away PostgreSQL for the tests of this process, stopped and removed at its
// end.
//
//   auto* server = PostgresServer::shared();
//   if (server == nullptr) GTEST_SKIP() << PostgresServer::why_not();
//   settings.hosts = {{server->host(), server->port()}};
#pragma once

#include <cstdint>
#include <string>

namespace millrace::test {

class PostgresServer {
public:
  /// Starts it on the first call. Null where there are no server binaries, or it does not start;
  /// the reason is printed once, loudly. MILLRACE_TEST_POSTGRES (a URL) names one
  /// that runs already.
  static PostgresServer* shared();

  static const std::string& why_not();

  /// Another one, that belongs to the caller alone; as `shared`, but never null where that is not.
  explicit PostgresServer(std::string folder);
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  const std::string& host() const noexcept { return host_; }  // the socket's folder

  std::uint16_t port() const noexcept { return port_; }

  const std::string& user() const noexcept { return user_; }

  const std::string& dbname() const noexcept { return dbname_; }

  /// Stops at once (as a crash does), and starts again on the same port.
  bool stop();
  bool start();

private:
  PostgresServer() = default;

  std::string prepare();
  void take_address(const std::string& url);

  std::string folder_;  // empty: not ours
  std::string host_;
  std::string user_ = "postgres";
  std::string dbname_ = "postgres";
  std::uint16_t port_ = 0;
  bool running_ = false;
};

}  // namespace millrace::test
