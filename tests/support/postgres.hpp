// PostgresServer: a throw-away PostgreSQL for the tests of this process, stopped and removed at its
// end.
//
//   auto* server = PostgresServer::shared();
//   if (server == nullptr) GTEST_SKIP() << PostgresServer::why_not();
//   settings.hosts = {{server->host(), server->port()}};
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::test {

/// A TCP port of 127.0.0.1 that nobody has just now.
std::uint16_t free_port();

class PostgresServer {
public:
  /// Starts it on the first call. Null where there are no server binaries, or it does not start;
  /// the reason is printed once, loudly. MILLRACE_TEST_POSTGRES (a URL) names one
  /// that runs already.
  static PostgresServer* shared();

  static const std::string& why_not();

  /// Another one, that belongs to the caller alone; as `shared`, but never null where that is not.
  explicit PostgresServer(std::string folder);

  /// A standby that streams from `primary`; null where it does not start.
  static std::unique_ptr<PostgresServer> standby_of(const PostgresServer& primary,
                                                    const std::string& folder);

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  bool running() const noexcept { return running_; }

  const std::string& host() const noexcept { return host_; }  // the socket's folder

  std::uint16_t port() const noexcept { return port_; }

  const std::string& user() const noexcept { return user_; }

  const std::string& dbname() const noexcept { return dbname_; }

  /// Stops at once (as a crash does), and starts again on the same port.
  bool stop();
  bool start();

  /// A standby becomes a primary.
  bool promote();

  /// Lines for postgresql.conf, or for the head of pg_hba.conf; effective when `reload` returns, or
  /// after a restart.
  void configure(std::string_view lines);
  void admit(std::string_view lines);
  bool reload();

  /// Runs a shell command as the server's user, in the server's folder.
  bool run_in_folder(const std::string& command);

  const std::string& folder() const noexcept { return folder_; }

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
