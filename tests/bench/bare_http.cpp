// What a bare Beast server answers, for scripts/bench http: each GET with one small JSON text, over
// kept connections.
//
//   bare_http PORT THREADS
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

class Session : public std::enable_shared_from_this<Session> {
public:
  explicit Session(tcp::socket socket) : stream_{std::move(socket)} {
    stream_.socket().set_option(tcp::no_delay{true});
  }

  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](const beast::error_code& failure, std::size_t) {
                       if (!failure)
                         self->answer();
                     });
  }

private:
  void answer() {
    const auto target = std::string{request_.target()};
    response_ = {http::status::ok, request_.version()};
    response_.set(http::field::content_type, "application/json");
    response_.body() = "{\"id\":\"" + target.substr(target.rfind('/') + 1) + "\"}";
    response_.keep_alive(request_.keep_alive());
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](const beast::error_code& failure, std::size_t) {
                        if (!failure && self->response_.keep_alive())
                          self->read();
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(tcp::acceptor& acceptor) {
  acceptor.async_accept(asio::make_strand(acceptor.get_executor()),
                        [&](const beast::error_code& failure, tcp::socket socket) {
                          if (!failure)
                            std::make_shared<Session>(std::move(socket))->read();
                          accept(acceptor);
                        });
}

int serve(std::uint16_t port, int threads) {
  asio::io_context context{threads};
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), port}};
  accept(acceptor);
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back([&] { context.run(); });
  context.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: bare_http PORT THREADS\n";
    return 64;
  }
  try {
    return serve(static_cast<std::uint16_t>(std::atoi(argv[1])), std::atoi(argv[2]));
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 69;
  }
}
