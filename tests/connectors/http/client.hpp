// A client of raw sockets, which can be as rude as it likes, and a running millrace to be rude to.
//
//   Service service{"  - {name: in, type: http, operation: receive, path: /a, method: GET}\n"};
//   Client client{service.port()};
//   const auto reply = client.ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
//   EXPECT_EQ(reply.status, 200);
#pragma once

#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::test {

struct Reply {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class Client {
public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);

  /// Reads one answer, for `patience` at most. @param with_body false after HEAD.
  Reply read(bool with_body = true);
  Reply ask(std::string_view request);

  /// Sends no more; reads on.
  void half_close() const;

  /// As a program that dies.
  void reset();

  /// Whether the other side has ended the connection, before `patience` is over.
  bool is_closed();

  std::chrono::milliseconds patience{10'000};

private:
  bool fill();

  int socket_ = -1;
  std::string buffer_;
};

/// A request with a body and its length.
std::string request(const std::string& method, const std::string& target,
                    const std::string& body = {}, const std::string& headers = {});

/// `millrace run` with a server named 'api', whose port it says itself.
class Service {
public:
  /// @param steps of the pipeline 'trial', or whole `pipelines:`. @param server more options of it.
  /// @param more top-level keys.
  explicit Service(const std::string& steps, const std::string& server = {},
                   const std::string& more = {}, const std::string& scheme = "http");

  std::uint16_t port() const noexcept { return port_; }

  Process& process() noexcept { return *process_; }

  const Scratch& scratch() const noexcept { return scratch_; }

private:
  Scratch scratch_;
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace millrace::test
