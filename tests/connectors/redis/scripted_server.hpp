// ScriptedServer: a server of Redis' protocol that answers as a test says, on a thread of its own.
//
//   ScriptedServer server{[](int connection, const std::vector<std::string>& command) {
//     return command[0] == "GET" ? "+OK\r\n" : "-LOADING wait\r\n"; }};
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace millrace::test {

class ScriptedServer {
public:
  /// What the n-th connection, from 0 on, is answered. HELLO is not asked about unless
  /// `answers_hello` is false. An empty answer closes the connection.
  using Answer =
    std::function<std::string(int connection, const std::vector<std::string>& command)>;

  explicit ScriptedServer(Answer answer, bool answers_hello = true);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }

private:
  struct Connection;

  void run();
  bool serve(Connection& connection);

  Answer answer_;
  bool answers_hello_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace millrace::test
