#include "tests/connectors/redis/scripted_server.hpp"

#include "connectors/redis/resp.hpp"

#include <arpa/inet.h>
#include <array>
#include <list>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace millrace::test {

struct ScriptedServer::Connection {
  int number;
  int fd;
  redis::ReplyReader reader{64UL << 20};  // commands are arrays of texts too
};

ScriptedServer::ScriptedServer(Answer answer, bool answers_hello)
  : answer_{std::move(answer)}, answers_hello_{answers_hello} {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 16) != 0
      || ::getsockname(listener_, raw, &size) != 0)
    throw std::runtime_error{"cannot listen"};
  port_ = ntohs(address.sin_port);
  wake_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread{[this] { run(); }};
}

ScriptedServer::~ScriptedServer() {
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(listener_);
  ::close(wake_);
}

void ScriptedServer::run() {
  std::list<Connection> connections;
  int next = 0;
  while (true) {
    std::vector<pollfd> all{{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& connection : connections)
      all.push_back({connection.fd, POLLIN, 0});
    ::poll(all.data(), all.size(), -1);
    if (all[0].revents != 0)
      break;
    std::size_t place = 2;
    for (auto it = connections.begin(); it != connections.end(); ++place) {
      const bool stays = all[place].revents == 0 || serve(*it);
      if (!stays)
        ::close(it->fd);
      it = stays ? std::next(it) : connections.erase(it);
    }
    if (all[1].revents != 0)
      connections.push_back({next++, ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)});
  }
  for (const auto& connection : connections)
    ::close(connection.fd);
}

bool ScriptedServer::serve(Connection& connection) {
  std::array<char, 65536> input{};
  const auto size = ::recv(connection.fd, input.data(), input.size(), 0);
  if (size <= 0)
    return false;
  connection.reader.feed({input.data(), static_cast<std::size_t>(size)});
  redis::Reply command;
  while (connection.reader.next(command) == redis::ReplyReader::Step::reply) {
    std::vector<std::string> words;
    for (const auto& item : command.items)
      words.push_back(item.text);
    const bool greets = answers_hello_ && words.front() == "HELLO";
    const auto answer = greets ? std::string{"%1\r\n+proto\r\n:3\r\n"}
                               : answer_(connection.number, words);
    if (answer.empty())
      return false;
    ::send(connection.fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  }
  return true;
}

}  // namespace millrace::test
