// A server that speaks PostgreSQL's protocol as far as it pleases, and then anything at all.
#pragma once

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace millrace::actors {

class NonsenseServer {
public:
  explicit NonsenseServer(std::uint64_t seed) : random_{seed} {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    auto* raw = reinterpret_cast<sockaddr*>(&where);
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::bind(listener_, raw, size) == 0 && ::listen(listener_, 16) == 0)
      ::getsockname(listener_, raw, &size);
    port_ = ntohs(where.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }

  NonsenseServer(const NonsenseServer&) = delete;
  NonsenseServer& operator=(const NonsenseServer&) = delete;

  ~NonsenseServer() {
    stop_ = true;
    thread_.join();
    for (const int client : clients_)
      ::close(client);
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }

private:
  void run() {
    while (!stop_) {
      std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
      for (const int client : clients_)
        waiting.push_back({client, POLLIN, 0});
      ::poll(waiting.data(), waiting.size(), 20);
      for (std::size_t i = 1; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0)
          answer(i - 1);
      }
      std::erase(clients_, -1);
      if (waiting[0].revents != 0)
        clients_.push_back(::accept(listener_, nullptr, nullptr));
    }
  }

  void answer(std::size_t index) {
    std::array<char, 4096> asked{};
    const auto got = ::recv(clients_[index], asked.data(), asked.size(), MSG_DONTWAIT);
    if (got <= 0) {
      ::close(clients_[index]);
      clients_[index] = -1;
      return;
    }
    std::string said;
    const bool start = asked[0] == 0;
    // Two of three let the client in.
    if (start && random_() % 3 != 0)
      said = message('R', std::string(4, '\0')) + message('K', "12345678") + message('Z', "I");
    else
      for (auto count = 1 + random_() % 4; count > 0; --count)
        said += nonsense();
    ::send(clients_[index], said.data(), said.size(), MSG_NOSIGNAL);
  }

  static std::string message(char type, const std::string& body) {
    const auto length = htonl(static_cast<std::uint32_t>(body.size() + 4));
    return std::string{type}.append(reinterpret_cast<const char*>(&length), 4).append(body);
  }

  // A message of the protocol where it does not belong, one with a body that it cannot have, or
  // noise.
  std::string nonsense() {
    static const std::string types = "123ACDEGHIKNRSTVWZdnstv";
    std::string body;
    for (auto size = random_() % 40; size > 0; --size)
      body += static_cast<char>(random_() % 4 == 0 ? 0 : random_() % 256);
    switch (random_() % 4) {
    case 0:
      return body;
    case 1:
      return message('E', std::string{"SFATAL\0VFATAL\0C57P01\0Mgone\0\0", 27});
    default:
      return message(types[random_() % types.size()], body);
    }
  }

  std::mt19937_64 random_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> clients_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace millrace::actors
