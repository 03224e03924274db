#include "tests/connectors/http/client.hpp"

#include "tests/runtime/millrace.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <regex>
#include <sys/socket.h>
#include <unistd.h>

namespace millrace::test {

Client::Client(std::uint16_t port) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    reset();
}

Client::~Client() {
  if (socket_ >= 0)
    close(socket_);
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return;  // the other side has had enough
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Client::fill() {
  pollfd one{.fd = socket_, .events = POLLIN, .revents = 0};
  if (socket_ < 0 || poll(&one, 1, static_cast<int>(patience.count())) <= 0)
    return false;
  std::array<char, 16384> bytes{};
  const auto size = recv(socket_, bytes.data(), bytes.size(), 0);
  if (size <= 0)
    return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

Reply Client::read(bool with_body) {
  Reply reply;
  auto end = buffer_.find("\r\n\r\n");
  while (end == std::string::npos) {
    if (!fill())
      return reply;
    end = buffer_.find("\r\n\r\n");
  }
  const auto head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  reply.status = std::atoi(head.c_str() + 9);
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto line_end = head.find("\r\n", at);
    const auto colon = head.find(": ", at);
    auto name = head.substr(at, colon - at);
    for (auto& c : name)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    reply.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  const auto length = reply.headers.find("content-length");
  if (!with_body || length == reply.headers.end())
    return reply;
  const auto size = std::strtoul(length->second.c_str(), nullptr, 10);
  while (buffer_.size() < size && fill()) {
  }
  reply.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return reply;
}

Reply Client::ask(std::string_view request) {
  send(request);
  return read();
}

void Client::half_close() const {
  shutdown(socket_, SHUT_WR);
}

void Client::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(socket_);
  socket_ = -1;
}

bool Client::is_closed() {
  for (;;) {
    pollfd one{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&one, 1, static_cast<int>(patience.count())) <= 0)
      return false;
    std::array<char, 16384> bytes{};
    if (recv(socket_, bytes.data(), bytes.size(), 0) <= 0)
      return true;
  }
}

std::string request(const std::string& method, const std::string& target, const std::string& body,
                    const std::string& headers) {
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + headers;
  if (!body.empty())
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

Service::Service(const std::string& steps, const std::string& server, const std::string& more,
                 const std::string& scheme) {
  const bool whole = steps.starts_with("pipelines:");
  const auto file = scratch_.write(
    "service.yaml", "servers:\n  api: {protocol: http, url: '" + scheme + "://127.0.0.1:0'" + server
                      + "}\n" + more + (whole ? "" : "name: trial\nsteps:\n") + steps);
  auto launch = millrace_launch({"run", file});
  launch.directory = scratch_.path({});
  process_ = std::make_unique<Process>(launch);
  if (!process_->wait_for("http server listens")) {
    ADD_FAILURE() << process_->err();
    return;
  }
  process_->wait_for("http route opened");
  // Each pipeline of `pipelines:` begins a line of its own.
  const std::regex name{"\n  ([a-z]+):"};
  for (std::sregex_iterator one{steps.begin(), steps.end(), name}, end; whole && one != end; ++one)
    process_->wait_for("http route opened pipeline=" + (*one)[1].str());
  const auto& said = process_->err();
  const auto at = said.find("port=", said.find("http server listens"));
  port_ = static_cast<std::uint16_t>(std::atoi(said.c_str() + at + 5));
}

}  // namespace millrace::test
