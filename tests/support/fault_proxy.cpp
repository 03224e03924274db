#include "tests/support/fault_proxy.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <random>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace millrace::test {

namespace {

constexpr std::size_t most_held = std::size_t{1} << 20;  // bytes; then it is not read on

void close_fd(int& fd) {
  if (fd >= 0)
    ::close(fd);
  fd = -1;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

// One direction of a connection.
struct FaultProxy::Pipe {
  int from = -1;
  int to = -1;
  std::optional<Fault> fault;
  bool striking = false;
  std::uint64_t passed = 0;  // of what counts for the fault
  std::string tail;          // of what has passed, where a text is looked for
  std::string out;
  Clock::time_point not_before;  // for what is in `out`
  bool ended = false;            // `from` has no more
  bool shut = false;             // `to` was told
  std::minstd_rand random;

  bool stalled() const { return striking && fault->kind == Fault::Kind::stall; }

  bool late(Clock::time_point now) const { return !out.empty() && now < not_before; }
};

struct FaultProxy::Connection {
  int client = -1;
  int server = -1;
  Pipe to_server;
  Pipe to_client;
  bool closing = false;  // both sides, once all has passed
  bool dead = false;

  Pipe& pipe(Direction direction) {
    return direction == Direction::to_server ? to_server : to_client;
  }

  ~Connection() {
    close_fd(client);
    close_fd(server);
  }
};

FaultProxy::FaultProxy(Endpoint server) : server_{std::move(server)} {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || wake_ < 0 || ::bind(listener_, raw, size) != 0
      || ::listen(listener_, 256) != 0 || ::getsockname(listener_, raw, &size) != 0)
    throw std::runtime_error{"the fault proxy cannot listen"};
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { run(); }};
}

FaultProxy::~FaultProxy() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake();
  thread_.join();
  close_fd(listener_);
  close_fd(wake_);
}

void FaultProxy::expect(std::optional<Fault> fault) {
  const std::lock_guard lock{mutex_};
  expected_.push_back(std::move(fault));
}

void FaultProxy::forget() {
  const std::lock_guard lock{mutex_};
  expected_.clear();
}

void FaultProxy::arm(Connection& connection, const Fault& fault) {
  auto& pipe = connection.pipe(fault.direction);
  pipe.fault = fault;
  pipe.striking = false;
  pipe.passed = 0;
  pipe.tail.clear();
  pipe.random.seed(fault.seed);
  if (fault.after == 0 && fault.at.empty())
    strike_now(connection, pipe, {});
}

void FaultProxy::strike(const Fault& fault) {
  const std::lock_guard lock{mutex_};
  for (const auto& connection : connections_)
    arm(*connection, fault);
  wake();
}

void FaultProxy::strike_one(const Fault& fault, std::uint64_t which) {
  const std::lock_guard lock{mutex_};
  if (connections_.empty())
    return;
  const auto number = static_cast<std::ptrdiff_t>(which % connections_.size());
  arm(**std::next(connections_.begin(), number), fault);
  wake();
}

void FaultProxy::heal() {
  const std::lock_guard lock{mutex_};
  for (const auto& connection : connections_) {
    for (auto* pipe : {&connection->to_server, &connection->to_client}) {
      pipe->fault.reset();
      pipe->striking = false;
      pipe->not_before = {};
    }
  }
  wake();
}

void FaultProxy::refuse(bool on) {
  const std::lock_guard lock{mutex_};
  refuse_ = on;
}

std::size_t FaultProxy::open() const {
  const std::lock_guard lock{mutex_};
  return connections_.size();
}

std::uint64_t FaultProxy::accepted() const {
  const std::lock_guard lock{mutex_};
  return accepted_;
}

std::uint64_t FaultProxy::struck() const {
  const std::lock_guard lock{mutex_};
  return struck_;
}

void FaultProxy::wake() const {
  static_cast<void>(::eventfd_write(wake_, 1));
}

void FaultProxy::run() {
  while (true) {
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) {
        connections_.clear();
        return;
      }
    }
    poll_once();
  }
}

void FaultProxy::poll_once() {
  std::vector<pollfd> waiting{{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};

  struct Waiter {
    Connection* connection;
    Pipe* pipe;
  };

  std::vector<Waiter> readers;  // for every two after the first two: read end, write end
  int timeout = -1;
  {
    const std::lock_guard lock{mutex_};
    const auto now = Clock::now();
    for (const auto& connection : connections_) {
      for (auto* pipe : {&connection->to_server, &connection->to_client}) {
        const bool reads = !pipe->ended && !pipe->stalled() && pipe->out.size() < most_held;
        bool writes = !pipe->out.empty() && !pipe->shut;
        if (writes && pipe->late(now)) {
          const auto left = std::chrono::ceil<std::chrono::milliseconds>(pipe->not_before - now);
          const auto wait = static_cast<int>(left.count());
          timeout = timeout < 0 ? wait : std::min(timeout, wait);
          writes = false;
        }
        waiting.push_back({reads ? pipe->from : -1, POLLIN, 0});
        waiting.push_back({writes ? pipe->to : -1, POLLOUT, 0});
        readers.push_back({connection.get(), pipe});
      }
    }
  }
  if (::poll(waiting.data(), waiting.size(), timeout) < 0)
    return;
  eventfd_t ignored = 0;
  static_cast<void>(::eventfd_read(wake_, &ignored));
  if (waiting[0].revents != 0)
    accept_one();
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < readers.size(); ++i) {
    auto& [connection, pipe] = readers[i];
    if (waiting[2 + 2 * i].revents != 0 && !connection->dead)
      read_from(*connection, *pipe);
  }
  for (const auto& connection : connections_) {
    for (auto* pipe : {&connection->to_server, &connection->to_client}) {
      if (!connection->dead)
        write_to(*connection, *pipe);
    }
  }
  std::erase_if(connections_, [](const auto& connection) {
    const bool passed = connection->to_server.out.empty() && connection->to_client.out.empty();
    const bool over = connection->to_server.shut
                      && (connection->to_client.shut || connection->to_client.stalled());
    return connection->dead || over || (connection->closing && passed);
  });
}

int FaultProxy::connect_server() const {
  int server = -1;
  if (server_.host.starts_with('/')) {
    server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = server_.host + "/.s.PGSQL." + std::to_string(server_.port);
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      close_fd(server);
    return server;
  }
  server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(server_.port);
  ::inet_pton(AF_INET, server_.host.c_str(), &address.sin_addr);
  if (::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    close_fd(server);
  return server;
}

void FaultProxy::accept_one() {
  auto connection = std::make_unique<Connection>();
  connection->client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection->client < 0)
    return;
  connection->server = connect_server();
  const std::lock_guard lock{mutex_};
  ++accepted_;
  if (refuse_ || connection->server < 0) {
    reset(*connection);
    return;
  }
  const int one = 1;
  ::setsockopt(connection->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(connection->client, F_SETFL, O_NONBLOCK);
  ::fcntl(connection->server, F_SETFL, O_NONBLOCK);
  connection->to_server.from = connection->to_client.to = connection->client;
  connection->to_server.to = connection->to_client.from = connection->server;
  if (!expected_.empty()) {
    if (const auto& fault = expected_.front())
      arm(*connection, *fault);
    expected_.pop_front();
  }
  if (!connection->dead)
    connections_.push_back(std::move(connection));
}

void FaultProxy::read_from(Connection& connection, Pipe& pipe) {
  std::array<char, 65536> buffer;
  const auto got = ::recv(pipe.from, buffer.data(), buffer.size(), 0);
  if (got > 0)
    take(connection, pipe, {buffer.data(), static_cast<std::size_t>(got)});
  else if (got == 0)
    pipe.ended = true;
  else if (errno != EAGAIN && errno != EINTR)
    reset(connection);
}

// Looks where in `bytes` the fault strikes.
void FaultProxy::take(Connection& connection, Pipe& pipe, std::string_view bytes) {
  if (!pipe.fault) {
    pipe.out += bytes;
    return;
  }
  if (pipe.striking) {
    strike_now(connection, pipe, bytes);
    return;
  }
  std::size_t unharmed = bytes.size();
  bool strikes = false;
  if (const auto& text = pipe.fault->at; !text.empty()) {
    const auto before = pipe.tail.size();
    pipe.tail += bytes;
    const auto at = pipe.tail.find(text);
    strikes = at != std::string::npos;
    if (strikes)
      unharmed = at + text.size() - std::min(before, at + text.size());
    else if (pipe.tail.size() >= text.size())
      pipe.tail.erase(0, pipe.tail.size() - (text.size() - 1));
  } else if (pipe.passed + bytes.size() >= pipe.fault->after) {
    strikes = true;
    unharmed = static_cast<std::size_t>(pipe.fault->after - pipe.passed);
  }
  pipe.passed += unharmed;
  pipe.out += bytes.substr(0, unharmed);
  if (strikes)
    strike_now(connection, pipe, bytes.substr(unharmed));
}

void FaultProxy::strike_now(Connection& connection, Pipe& pipe, std::string_view rest) {
  if (!std::exchange(pipe.striking, true))
    ++struck_;
  const auto& fault = *pipe.fault;
  switch (fault.kind) {
  case Fault::Kind::cut:
    write_to(connection, pipe);
    reset(connection);
    break;
  case Fault::Kind::close:
    connection.closing = true;
    break;
  case Fault::Kind::half_close:
    pipe.ended = true;
    break;
  case Fault::Kind::delay:
    if (pipe.out.empty())
      pipe.not_before = Clock::now() + fault.pause;
    pipe.out += rest;
    break;
  case Fault::Kind::stall:
  case Fault::Kind::trickle:
    pipe.out += rest;
    break;
  case Fault::Kind::garble:
    for (const char c : rest)
      pipe.out += static_cast<char>(static_cast<unsigned>(c) ^ (1 + pipe.random() % 255));
    break;
  }
}

void FaultProxy::write_to(Connection& connection, Pipe& pipe) {
  const auto now = Clock::now();
  if (!pipe.out.empty() && !pipe.stalled() && !pipe.late(now) && !pipe.shut) {
    const bool trickles = pipe.striking && pipe.fault->kind == Fault::Kind::trickle;
    const auto size = trickles ? std::min(pipe.out.size(), pipe.fault->piece) : pipe.out.size();
    const auto sent = ::send(pipe.to, pipe.out.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
      pipe.out.erase(0, static_cast<std::size_t>(sent));
    else if (errno != EAGAIN && errno != EINTR)
      reset(connection);
    if (trickles)
      pipe.not_before = now + pipe.fault->pause;
  }
  if (pipe.ended && pipe.out.empty() && !pipe.shut && !connection.dead) {
    ::shutdown(pipe.to, SHUT_WR);
    pipe.shut = true;
  }
}

void FaultProxy::reset(Connection& connection) {
  connection.dead = true;
  const linger at_once{1, 0};
  for (const int fd : {connection.client, connection.server}) {
    if (fd >= 0)
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
}

}  // namespace millrace::test
