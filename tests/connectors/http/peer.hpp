// A server that says what the test tells it, byte for byte: each request, with its number, goes to
// a function that gives the bytes to send.
//
//   Peer peer{[](int number, const std::string& request) { return answer(200, "{}"); }};
//   … "http://127.0.0.1:" + std::to_string(peer.port())
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace millrace::test {

class Peer {
public:
  /// "": closes without an answer; `silence`: says nothing until the client goes away.
  using Handler = std::function<std::string(int number, const std::string& request)>;

  static inline const std::string silence = "…";

  explicit Peer(Handler handler);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  std::vector<std::string> requests() const;

  int connections() const noexcept { return connections_; }

private:
  void accept_all();
  void serve(int socket);

  const Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::thread> threads_;
  std::vector<int> sockets_;
  std::thread acceptor_;
};

/// A response with its length. @param headers each with its line break.
std::string answer(int status, const std::string& body = {}, const std::string& headers = {});

}  // namespace millrace::test
