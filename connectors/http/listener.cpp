#include "connectors/http/listener.hpp"

#include "connectors/asio/reactor.hpp"
#include "connectors/http/connection.hpp"
#include "connectors/http/endpoint.hpp"
#include "connectors/http/message.hpp"
#include "connectors/http/plain_stream.hpp"
#include "connectors/http/tls.hpp"
#include "connectors/sdk/descriptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <sys/resource.h>
#include <sys/socket.h>
#include <utility>

namespace millrace::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr int most_at_once = 64;      // connections taken in one turn of the loop
constexpr auto accept_pause = 100ms;  // when there are no descriptors left

// As many descriptors as this process may have: the usual soft limit of 1024 is for select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

sdk::Error cannot_listen(const std::string& host, std::uint16_t port, const error_code& failure) {
  const bool taken = failure == boost::asio::error::address_in_use;
  return {sdk::ErrorKind::config,
          "cannot listen at " + host + ":" + std::to_string(port) + ": " + failure.message(),
          {.hint = taken ? "another process listens there" : "is it an address of this machine?"}};
}

}  // namespace

class Listener::State : public std::enable_shared_from_this<State> {
public:
  State(std::shared_ptr<Traffic> traffic, std::shared_ptr<TlsContext> tls, sdk::Reactor& reactor,
        sdk::Log& log)
    : traffic_{std::move(traffic)},
      tls_{std::move(tls)},
      reactor_{reactor},
      log_{log},
      loop_{reactor.loop()},
      acceptor_{asio::io_context_of(loop_)} {}

  error_code open(const tcp::endpoint& address) {
    error_code failure;
    acceptor_.open(address.protocol(), failure);
    if (!failure)
      acceptor_.set_option(tcp::acceptor::reuse_address{true}, failure);
    if (!failure)
      acceptor_.bind(address, failure);
    if (!failure)
      acceptor_.listen(boost::asio::socket_base::max_listen_connections, failure);
    if (!failure)
      acceptor_.non_blocking(true, failure);
    if (!failure)
      port_ = acceptor_.local_endpoint(failure).port();
    if (!failure)
      loop_.post([self = shared_from_this()] { self->accept(); });
    return failure;
  }

  std::uint16_t port() const noexcept { return port_; }

  void stop() {
    loop_.post([self = shared_from_this()] {
      self->stopped_ = true;
      error_code ignored;
      self->acceptor_.close(ignored);
    });
  }

  void drain() { connections_->drain(); }

  void set_tls(std::shared_ptr<TlsContext> tls) {
    loop_.post([self = shared_from_this(), tls = std::move(tls)] { self->tls_ = tls; });
  }

private:
  void accept() {
    if (stopped_)
      return;
    acceptor_.async_wait(tcp::acceptor::wait_read,
                         [self = shared_from_this()](const error_code& failure) {
                           if (!failure)
                             self->accept_all();
                         });
  }

  void accept_all() {
    for (int i = 0; i < most_at_once && !stopped_; ++i) {
      sdk::Descriptor socket{
        accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (socket) {
        take(std::move(socket));
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log_.warn(
          "http connection not accepted",
          {{"server", sdk::Value{traffic_->name()}},
           {"error", sdk::Value{error_code{errno, boost::system::system_category()}.message()}}});
        loop_.after(accept_pause, [self = shared_from_this()] { self->accept(); });
        return;
      } else if (errno != ECONNABORTED && errno != EINTR) {
        break;
      }
    }
    accept();
  }

  void take(sdk::Descriptor socket) {
    if (connections_->size() >= traffic_->limits().connections) {
      if (!tls_)
        refuse(socket);
      return;
    }
    auto& loop = reactor_.loop();
    auto stream = tls_ ? tls_->accept(std::move(socket), loop)
                       : make_plain_stream(std::move(socket), loop);
    if (!stream)
      return;
    auto connection = std::make_shared<Connection>(std::move(stream), traffic_, connections_, loop);
    connections_->add(connection);
    loop.post([connection] { connection->start(); });
  }

  // Without a connection of its own: there are too many of them.
  static void refuse(const sdk::Descriptor& socket) {
    auto response = problem(503, "too many connections");
    response.headers.emplace_back("retry-after", "1");
    const auto text = serialized(response, {.close = true});
    if (send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0)
      shutdown(socket.get(), SHUT_WR);
  }

  const std::shared_ptr<Traffic> traffic_;
  std::shared_ptr<TlsContext> tls_;  // of the loop; null: plain
  const std::shared_ptr<ConnectionSet> connections_ = std::make_shared<ConnectionSet>();
  sdk::Reactor& reactor_;
  sdk::Log& log_;
  sdk::EventLoop& loop_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  bool stopped_ = false;  // of the loop
};

sdk::Result<std::unique_ptr<Listener>> Listener::open(std::shared_ptr<Traffic> traffic,
                                                      const std::string& host, std::uint16_t port,
                                                      std::shared_ptr<TlsContext> tls,
                                                      sdk::Reactor& reactor, sdk::Log& log) {
  raise_descriptor_limit();
  error_code failure;
  // An address, or a name that /etc/hosts has: asked once, when the pipelines start.
  boost::asio::io_context names;
  tcp::resolver resolver{names};
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, failure);
  if (failure || found.empty())
    return cannot_listen(host, port, failure);
  auto state = std::make_shared<State>(std::move(traffic), std::move(tls), reactor, log);
  if (failure = state->open(found.begin()->endpoint()); failure)
    return cannot_listen(host, port, failure);
  return std::unique_ptr<Listener>{new Listener{std::move(state)}};
}

Listener::~Listener() {
  state_->stop();
}

std::uint16_t Listener::port() const noexcept {
  return state_->port();
}

void Listener::set_tls(std::shared_ptr<TlsContext> tls) {
  state_->set_tls(std::move(tls));
}

void Listener::drain() {
  state_->stop();
  state_->drain();
}

}  // namespace millrace::http
