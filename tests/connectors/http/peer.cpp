#include "tests/connectors/http/peer.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace millrace::test {

Peer::Peer(Handler handler) : handler_{std::move(handler)} {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0
      || listen(listener_, 128) != 0)
    throw std::system_error{errno, std::generic_category(), "the peer cannot listen"};
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

Peer::~Peer() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    const std::lock_guard lock{mutex_};
    for (const int socket : sockets_)
      shutdown(socket, SHUT_RDWR);
  }
  for (auto& thread : threads_)
    thread.join();
  for (const int socket : sockets_)
    close(socket);
}

std::vector<std::string> Peer::requests() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

void Peer::accept_all() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0)
      return;
    ++connections_;
    const std::lock_guard lock{mutex_};
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void Peer::serve(int socket) {
  std::string buffer;
  std::array<char, 65536> bytes{};
  for (;;) {
    const auto end = buffer.find("\r\n\r\n");
    const auto length = buffer.find("Content-Length: ");
    const auto body = end != std::string::npos && length < end
                        ? std::strtoul(buffer.c_str() + length + 16, nullptr, 10)
                        : 0UL;
    if (end == std::string::npos || buffer.size() < end + 4 + body) {
      const auto size = recv(socket, bytes.data(), bytes.size(), 0);
      if (size <= 0)
        return;
      buffer.append(bytes.data(), static_cast<std::size_t>(size));
      continue;
    }
    auto request = buffer.substr(0, end + 4 + body);
    buffer.erase(0, request.size());
    int number = 0;
    {
      const std::lock_guard lock{mutex_};
      requests_.push_back(request);
      number = static_cast<int>(requests_.size());
    }
    const auto reply = handler_(number, request);
    if (reply == silence)
      continue;
    std::string_view rest{reply};
    while (!rest.empty()) {
      const auto sent = send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    if (reply.empty() || reply.find("Connection: close") != std::string::npos) {
      shutdown(socket, SHUT_RDWR);
      return;
    }
  }
}

std::string answer(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n" + headers
         + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace millrace::test
