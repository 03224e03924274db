#include "tests/connectors/redis/redis_server.hpp"

#include "tests/support/postgres.hpp"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace millrace::test {
namespace {

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return fd;
  ::close(fd);
  return -1;
}

redis::Reply exchange(int fd, redis::ReplyReader& reader, const std::vector<std::string>& command) {
  std::string bytes;
  redis::append_command(bytes, command);
  redis::Reply reply{.kind = redis::Reply::Kind::error, .text = "the connection ended"};
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    return reply;
  std::array<char, 65536> input{};
  while (reader.next(reply) == redis::ReplyReader::Step::need_more) {
    const auto size = ::recv(fd, input.data(), input.size(), 0);
    if (size <= 0)
      return {.kind = redis::Reply::Kind::error, .text = "the connection ended"};
    reader.feed({input.data(), static_cast<std::size_t>(size)});
  }
  return reply;
}

}  // namespace

const std::string& RedisServer::why_not() {
  static const std::string reason = [] {
    if (std::system("redis-server --version >/dev/null 2>&1") == 0)
      return std::string{};
    std::cerr << "\n*** SKIPPING every test on a Redis server: there is no redis-server here "
                 "(scripts/setup --tests installs it)\n\n";
    return std::string{"there is no redis-server here"};
  }();
  return reason;
}

RedisServer::RedisServer(std::vector<std::string> settings)
  : folder_{scratch_.path({})}, settings_{std::move(settings)} {
  start();
}

RedisServer::~RedisServer() {
  kill();
}

std::string RedisServer::url() const {
  return "redis://127.0.0.1:" + std::to_string(port_);
}

void RedisServer::start() {
  // Another process may take the port between the choice and the start.
  for (int attempt = 0; attempt < 10; ++attempt) {
    if (attempt > 0 || port_ == 0)
      port_ = free_port();
    std::vector<std::string> words{"redis-server",
                                   "--port",
                                   std::to_string(port_),
                                   "--bind",
                                   "127.0.0.1",
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "yes",
                                   "--appendfsync",
                                   "no",
                                   "--dir",
                                   folder_,
                                   "--daemonize",
                                   "no"};
    words.insert(words.end(), settings_.begin(), settings_.end());
    std::vector<char*> arguments;
    for (auto& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const auto log = folder_ + "/server.log";
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent)
        ::_exit(1);
      const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(out, 1);
      ::dup2(out, 2);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (std::chrono::steady_clock::now() < deadline && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
      // It takes connections while it still reads what was saved.
      const auto reply = ask({"PING"});
      if (reply.text != "cannot connect" && reply.text != "the connection ended"
          && !reply.text.starts_with("LOADING"))
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    kill();
  }
  throw std::runtime_error{"redis-server did not start; see " + folder_ + "/server.log"};
}

void RedisServer::kill() {
  if (pid_ <= 0)
    return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::freeze() {
  ::kill(pid_, SIGSTOP);
}

void RedisServer::thaw() {
  ::kill(pid_, SIGCONT);
}

redis::Reply RedisServer::ask(const std::vector<std::string>& command,
                              const std::vector<std::string>& as) const {
  const int fd = connect_to(port_);
  if (fd < 0)
    return {.kind = redis::Reply::Kind::error, .text = "cannot connect"};
  redis::ReplyReader reader{1UL << 30};
  if (!as.empty())
    exchange(fd, reader, as);
  auto reply = exchange(fd, reader, command);
  ::close(fd);
  return reply;
}

}  // namespace millrace::test
