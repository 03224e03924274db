#include "connectors/http/plain_stream.hpp"

#include "connectors/asio/reactor.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace millrace::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

class PlainStream final : public Stream {
public:
  explicit PlainStream(tcp::socket socket) : socket_{std::move(socket)}, peer_{peer_of(socket_)} {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
  }

  static std::string peer_of(const tcp::socket& socket) {
    error_code failure;
    const auto endpoint = socket.remote_endpoint(failure);
    return failure ? std::string{} : endpoint.address().to_string();
  }

  void open(StreamUserPtr user) override {
    boost::asio::post(socket_.get_executor(), [user = std::move(user)] { user->on_open(true); });
  }

  void read(std::span<char> into, StreamUserPtr user) override {
    socket_.async_read_some(boost::asio::buffer(into.data(), into.size()),
                            [user = std::move(user)](const error_code& failure, std::size_t bytes) {
                              user->on_read(bytes, end_of(failure));
                            });
  }

  void write(std::string_view bytes, StreamUserPtr user) override {
    boost::asio::async_write(socket_, boost::asio::buffer(bytes.data(), bytes.size()),
                             [user = std::move(user)](const error_code& failure, std::size_t) {
                               user->on_written(!failure);
                             });
  }

  void finish(StreamUserPtr /*user*/) override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

  const std::string& peer() const noexcept override { return peer_; }

private:
  static ReadEnd end_of(const error_code& failure) {
    if (!failure)
      return ReadEnd::none;
    return failure == boost::asio::error::eof ? ReadEnd::closed : ReadEnd::broken;
  }

  tcp::socket socket_;
  std::string peer_;
};

}  // namespace

std::unique_ptr<Stream> make_plain_stream(sdk::Descriptor socket, sdk::EventLoop& loop) {
  error_code failure;
  tcp::socket owner{asio::io_context_of(loop)};
  owner.assign(tcp::v4(), socket.get(), failure);  // the family is asked for by nobody afterwards
  if (failure)
    return nullptr;
  static_cast<void>(socket.release());
  return std::make_unique<PlainStream>(std::move(owner));
}

}  // namespace millrace::http
