#include "runtime/admin/client.hpp"

#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/json.hpp"
#include "runtime/admin/server.hpp"

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <memory>
#include <netdb.h>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>
#include <utility>

namespace millrace::runtime {

namespace {

constexpr timeval patience{70, 0};  // longer than the API makes anybody wait
constexpr std::size_t most_bytes = 64UL * 1024UL * 1024UL;

sdk::Error unreachable(const std::string& address, const std::string& why) {
  return {sdk::ErrorKind::connection,
          "no answer from the admin API at " + address + ": " + why,
          {.hint = "is `millrace run` running there? --admin-address says where it listens"}};
}

std::string reason(int number) {
  return std::error_code{number, std::generic_category()}.message();
}

sdk::Result<sdk::Descriptor> connect_to(const AdminAddress& address, const std::string& shown) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto* host = address.host.empty() ? "127.0.0.1" : address.host.c_str();
  if (const int failure = ::getaddrinfo(host, std::to_string(address.port).c_str(), &wanted,
                                        &found);
      failure != 0)
    return unreachable(shown, ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all{found, &::freeaddrinfo};
  int last = 0;
  for (const auto* one = found; one != nullptr; one = one->ai_next) {
    sdk::Descriptor socket{::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket)
      continue;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0)
      return socket;
    last = errno;
  }
  return unreachable(shown, reason(last));
}

/// @returns 0, or the errno.
int send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0)
      return errno;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return 0;
}

/// All until the peer closes. @returns 0, or the errno.
int receive_all(int socket, std::string& text) {
  std::array<char, 65536> buffer{};
  while (text.size() < most_bytes) {
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got == 0)
      return 0;
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return errno;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return EMSGSIZE;
}

/// The server writes whole messages with their length, and closes behind them.
std::optional<AdminClient::Answer> parse_answer(const std::string& text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos || !text.starts_with("HTTP/1.1 ") || text.size() < 12)
    return std::nullopt;
  AdminClient::Answer answer;
  const auto [stop, trouble] = std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  if (trouble != std::errc{} || stop != text.data() + 12)
    return std::nullopt;
  if (auto body = sdk::parse_json(std::string_view{text}.substr(end + 4)))
    answer.body = std::move(*body);
  return answer;
}

std::string text_of(const sdk::Value& body, std::string_view name) {
  const auto* found = body.find(name);
  return found && found->is_string() ? std::string{found->as_string()} : std::string{};
}

}  // namespace

sdk::Result<AdminClient::Answer> AdminClient::ask(std::string_view method, const std::string& path,
                                                  const std::string& body) const {
  const std::string shown{options_.address.empty() ? std::string{default_admin_address}
                                                   : options_.address};
  const auto address = parse_admin_address(shown);
  if (!address)
    return address.error();
  auto socket = connect_to(*address, shown);
  if (!socket)
    return std::move(socket).error();
  std::string request{method};
  request.append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(shown);
  request.append("\r\nConnection: close\r\n");
  if (!options_.token.empty())
    request.append("Authorization: Bearer ").append(options_.token.reveal()).append("\r\n");
  if (!body.empty())
    request.append("Content-Type: application/json\r\n");
  request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  request.append(body);
  std::string text;
  if (const int failure = send_all(socket->get(), request); failure != 0)
    return unreachable(shown, reason(failure));
  if (const int failure = receive_all(socket->get(), text); failure != 0)
    return unreachable(shown, reason(failure));
  auto answer = parse_answer(text);
  if (!answer)
    return unreachable(shown, "what answers there does not speak HTTP");
  return std::move(*answer);
}

sdk::Result<sdk::Value> AdminClient::value_of(std::string_view method, const std::string& path,
                                              const std::string& body) const {
  auto answer = ask(method, path, body);
  if (!answer)
    return std::move(answer).error();
  constexpr unsigned unauthorized = 401;
  constexpr unsigned first_error = 400;
  if (answer->status == unauthorized)
    return sdk::Error{sdk::ErrorKind::failed,
                      "the admin API asks for a token",
                      {.hint = "give it by MILLRACE_ADMIN_TOKEN or --admin-token"}};
  if (answer->status < first_error)
    return std::move(answer->body);
  auto message = text_of(answer->body, "error");
  if (message.empty())
    message = text_of(answer->body, "detail");
  if (const auto* mistakes = answer->body.find("mistakes"); mistakes && mistakes->is_array()) {
    for (const auto& one : mistakes->items())
      message.append("\n  ").append(one.is_string() ? one.as_string() : "");
  }
  if (message.empty())
    message = "the admin API answered " + std::to_string(answer->status);
  return sdk::Error{sdk::ErrorKind::failed, message, {.hint = text_of(answer->body, "hint")}};
}

std::string path_segment(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 0xFU];
    }
  }
  return out;
}

}  // namespace millrace::runtime
