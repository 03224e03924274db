// Connection: one connection to a server, from looking up its name to its end. It says who we are,
// asks for RESP3, sends what it is given and hands the replies on in their order.
//
//   auto connection = Connection::open(server, loop, tls, user);   // on the loop, as everything
//   connection->send(commands);                                    // once on_ready was called
#pragma once

#include "connectors/redis/resp.hpp"
#include "connectors/redis/server.hpp"
#include "connectors/redis/transport.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/reactor.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {
class LoopGate;  // connectors/sdk/loop_gate.hpp
}

namespace millrace::redis {

struct ConnectionEnd {
  sdk::Error error;
  bool refused = false;    // by who we are, or by our settings: trying again soon cannot help
  bool too_large = false;  // the reply that came was beyond maxReply
};

class ConnectionUser {
public:
  virtual ~ConnectionUser() = default;
  virtual void on_ready() = 0;
  virtual void on_reply(Reply reply) = 0;

  /// What the server says unasked (RESP3).
  virtual void on_push(Reply push) { static_cast<void>(push); }

  /// Once at most, and not after `close`.
  virtual void on_closed(const ConnectionEnd& end) = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
  /// @param tls null where the server is not asked for it.
  static std::shared_ptr<Connection> open(ServerPtr server, sdk::EventLoop& loop,
                                          std::shared_ptr<TlsClient> tls,
                                          std::weak_ptr<ConnectionUser> user);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Commands, one after the other; each is answered by one `on_reply`.
  void send(std::string_view commands);

  /// Whether nothing is read for the time being.
  void pause(bool on);

  /// Nothing is called any more.
  void close();

  bool is_ready() const noexcept { return phase_ == Phase::ready; }

  /// Bytes that were given to us and not yet to the system.
  std::size_t unwritten() const noexcept { return next_.size() + writing_.size(); }

  /// When bytes came last.
  sdk::Instant last_read() const noexcept { return last_read_; }

private:
  enum class Phase : std::uint8_t { connecting, hello, plain_greeting, ready, closed };

  Connection(ServerPtr server, sdk::EventLoop& loop, std::shared_ptr<TlsClient> tls,
             std::weak_ptr<ConnectionUser> user);

  void start();
  void resolved(std::vector<std::string> addresses);
  void try_next(std::string problem);
  void opened();
  void greet_plainly();
  void on_greeting(const Reply& reply);
  void write();
  void read();
  void took(std::size_t bytes, const std::string& problem);
  bool deliver(Reply reply);
  void fail(ConnectionEnd end);
  void fail(const std::string& why);

  ServerPtr server_;
  sdk::EventLoop& loop_;
  std::shared_ptr<TlsClient> tls_;
  std::weak_ptr<ConnectionUser> user_;
  std::shared_ptr<sdk::LoopGate> gate_;
  std::unique_ptr<Transport> transport_;
  std::vector<std::string> addresses_;
  std::size_t tried_ = 0;
  Phase phase_ = Phase::connecting;
  std::size_t greetings_ = 0;  // replies of the greeting still to come
  sdk::TimerId patience_ = 0;
  ReplyReader reader_;
  std::vector<char> input_;
  std::string writing_;  // with the system
  std::string next_;     // follows it
  bool reading_ = false;
  bool paused_ = false;
  sdk::Instant last_read_{};
};

}  // namespace millrace::redis
