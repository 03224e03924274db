#include "connectors/redis/transport.hpp"

#include "connectors/asio/reactor.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace millrace::redis {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using boost::system::error_code;
using Socket = boost::asio::generic::stream_protocol::socket;

std::string problem_of(const error_code& failure) {
  if (!failure)
    return {};
  if (failure == boost::asio::error::eof || failure == ssl::error::stream_truncated)
    return "the server closed the connection";
  return failure.message();
}

boost::asio::generic::stream_protocol::endpoint endpoint_of(const Target& target,
                                                            error_code& failure) {
  if (target.port == 0) {
    if (target.address.size() >= sizeof(sockaddr_un::sun_path)) {
      failure = boost::asio::error::name_too_long;
      return {};
    }
    return boost::asio::local::stream_protocol::endpoint{target.address};
  }
  const auto address = boost::asio::ip::make_address(target.address, failure);
  return tcp::endpoint{address, target.port};
}

// What both kinds have in common; `stream()` is read and written.
template <class Stream>
class AsioTransport : public Transport {
public:
  template <class... Arguments>
  explicit AsioTransport(Arguments&&... arguments)
    : stream_{std::forward<Arguments>(arguments)...} {}

  void open(const Target& target, OnOpen done) override {
    error_code failure;
    const auto endpoint = endpoint_of(target, failure);
    if (failure) {
      boost::asio::post(socket().get_executor(),
                        [done = std::move(done), failure] { done(problem_of(failure)); });
      return;
    }
    socket().close(failure);  // of an address that was tried before
    socket().async_connect(endpoint, [this, is_tcp = target.port != 0,
                                      done = std::move(done)](const error_code& refused) mutable {
      if (refused)
        return done(problem_of(refused));
      if (is_tcp) {
        error_code ignored;
        socket().set_option(tcp::no_delay{true}, ignored);
        socket().set_option(boost::asio::socket_base::keep_alive{true}, ignored);
      }
      shake_hands(std::move(done));
    });
  }

  void read(std::span<char> into, OnRead done) override {
    stream_.async_read_some(boost::asio::buffer(into.data(), into.size()),
                            [done = std::move(done)](const error_code& failure, std::size_t bytes) {
                              done(bytes, problem_of(failure));
                            });
  }

  void write(std::string_view bytes, OnWritten done) override {
    boost::asio::async_write(stream_, boost::asio::buffer(bytes.data(), bytes.size()),
                             [done = std::move(done)](const error_code& failure, std::size_t) {
                               done(problem_of(failure));
                             });
  }

  void close() override {
    error_code ignored;
    socket().close(ignored);
  }

protected:
  virtual Socket& socket() noexcept = 0;
  virtual void shake_hands(OnOpen done) = 0;

  Stream stream_;
};

class PlainTransport final : public AsioTransport<Socket> {
public:
  using AsioTransport::AsioTransport;

private:
  Socket& socket() noexcept override { return stream_; }

  void shake_hands(OnOpen done) override { done({}); }
};

class TlsTransport final : public AsioTransport<ssl::stream<Socket>> {
public:
  using AsioTransport::AsioTransport;

  ssl::stream<Socket>& stream() noexcept { return stream_; }

private:
  Socket& socket() noexcept override { return stream_.next_layer(); }

  void shake_hands(OnOpen done) override {
    stream_.async_handshake(ssl::stream_base::client,
                            [done = std::move(done)](const error_code& failure) {
                              done(failure ? "TLS: " + problem_of(failure) : std::string{});
                            });
  }
};

sdk::Error bad_file(const char* what, const sdk::Text& file, const error_code& failure) {
  return {sdk::ErrorKind::config, std::string{"the "} + what + " " + file.shown()
                                    + " cannot be used: " + failure.message()};
}

class AsioTlsClient final : public TlsClient {
public:
  explicit AsioTlsClient(std::string host, bool verify) : host_{std::move(host)}, verify_{verify} {}

  ssl::context& context() noexcept { return context_; }

  std::unique_ptr<Transport> transport(sdk::EventLoop& loop) override {
    auto made = std::make_unique<TlsTransport>(asio::io_context_of(loop), context_);
    auto& stream = made->stream();
    error_code ignored;
    if (verify_)
      stream.set_verify_callback(ssl::host_name_verification{host_}, ignored);
    // An address is no name to ask for (RFC 6066, section 3).
    error_code is_name;
    boost::asio::ip::make_address(host_, is_name);
    if (is_name)
      SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               host_.data());
    return made;
  }

private:
  std::string host_;
  bool verify_;
  ssl::context context_{ssl::context::tls_client};
};

}  // namespace

sdk::Result<std::shared_ptr<TlsClient>> TlsClient::make(const RedisServer& server) {
  const auto& options = server.tls;
  auto made = std::make_shared<AsioTlsClient>(server.host, options.verify);
  auto& context = made->context();
  error_code failure;
  context.set_options(
    ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, failure);
  context.set_verify_mode(options.verify ? ssl::verify_peer : ssl::verify_none, failure);
  if (options.ca.empty())
    context.set_default_verify_paths(failure);
  else
    context.load_verify_file(options.ca.reveal(), failure);
  if (failure)
    return bad_file("ca", options.ca, failure);
  if (!options.certificate.empty()) {
    context.set_password_callback(
      [password = options.key_password](std::size_t, ssl::context::password_purpose) {
        return password.reveal();
      },
      failure);
    context.use_certificate_chain_file(options.certificate.reveal(), failure);
    if (failure)
      return bad_file("certificate", options.certificate, failure);
    context.use_private_key_file(options.key.reveal(), ssl::context::pem, failure);
    if (failure)
      return bad_file("key", options.key, failure);
  }
  return std::shared_ptr<TlsClient>{std::move(made)};
}

std::unique_ptr<Transport> plain_transport(sdk::EventLoop& loop) {
  return std::make_unique<PlainTransport>(asio::io_context_of(loop));
}

}  // namespace millrace::redis
