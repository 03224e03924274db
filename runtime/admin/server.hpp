// AdminServer: the HTTP server of the admin API. It stands on the parts of the http connector, so
// limits of size and time, 404, 405, 413 and 415, and request smuggling are dealt with there.
//
//   AdminServer server{{.address = "127.0.0.1:4190"}, *reactor, *log};
//   server.route("GET", "/health/live", [](const AdminRequest&, const AdminReply& reply) {
//     reply({.body = sdk::Value::object({{"status", "live"}})}); });
//   if (auto open = server.open(); !open) return open.error();
#pragma once

#include "connectors/sdk/log.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"
#include "runtime/options.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::runtime {

struct AdminRequest {
  sdk::Value params;  // of the path
  sdk::Value query;
  sdk::Value body;  // null: there was none

  /// "" where it is not there.
  std::string param(std::string_view name) const;
  std::string query_text(std::string_view name) const;
};

struct AdminAnswer {
  unsigned status = 200;
  sdk::Value body{};   // as JSON, where there is no text
  std::string text{};  // as it stands
  std::string type{};  // of the text
};

/// {"error": message, "hint": hint}; a hint may be empty.
AdminAnswer admin_error(unsigned status, std::string message, std::string hint = {});

/// Called once, from any thread.
using AdminReply = std::function<void(AdminAnswer)>;
using AdminHandler = std::function<void(const AdminRequest&, const AdminReply&)>;

/// Where handlers run: those that wait for somebody have a thread of their own.
enum class AdminLane : std::uint8_t { quick, slow };

class AdminServer {
public:
  AdminServer(AdminOptions options, sdk::Reactor& reactor, sdk::Log& log);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// Before `open`. @param path with {name} for parameters.
  void route(const std::string& method, const std::string& path, AdminHandler handler,
             AdminLane lane = AdminLane::quick);

  /// @returns kind `config` for an address that cannot be, or is open to others without a token.
  sdk::Status open();

  /// Takes nothing more, and ends what waits. May be called twice.
  void close();

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Where the API listens, and whether only this machine reaches it.
struct AdminAddress {
  std::string host;  // empty: all addresses
  std::uint16_t port = 0;
  bool is_loopback = false;
};

/// "127.0.0.1:4190", "[::1]:0", "localhost:4190", ":4190".
sdk::Result<AdminAddress> parse_admin_address(std::string_view text);

}  // namespace millrace::runtime
