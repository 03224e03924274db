// Client: what all steps ask of one server, pipelined over one connection. What waits while the
// system is busy goes out together; a connection that is lost is made anew with backoff, and what
// may safely be said twice is said again.
//
//   client->call({{.bytes = command, .caller = caller, .index = 0, .is_repeatable = true}});
#pragma once

#include "connectors/redis/connection.hpp"
#include "connectors/sdk/backoff.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/result.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace millrace::redis {

/// Hears what became of a command; on the client's loop, or where the client is destroyed.
class Caller {
public:
  virtual ~Caller() = default;
  /// Exactly once per request. Never an error reply: that is an Error by then.
  virtual void on_answer(std::uint32_t index, sdk::Result<Reply> answer) = 0;
};

struct Request {
  std::string bytes;  // one command
  std::shared_ptr<Caller> caller;
  std::uint32_t index = 0;     // given back to the caller
  bool is_repeatable = false;  // saying it twice does what saying it once does
};

/// What it holds is bounded by who calls: each record in a step has one request at most.
class Client final : public ConnectionUser, public std::enable_shared_from_this<Client> {
public:
  /// @param loop and @param log outlive it. @param tls null where the server is not asked for it.
  static std::shared_ptr<Client> make(ServerPtr server, sdk::EventLoop& loop,
                                      std::shared_ptr<TlsClient> tls, sdk::Log& log);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Thread-safe. Each is answered within the server's `timeout`.
  void call(std::vector<Request> requests);

  sdk::EventLoop& loop() const noexcept { return loop_; }

  void on_ready() override;
  void on_reply(Reply reply) override;
  void on_closed(const ConnectionEnd& end) override;

private:
  struct Entry {
    Request request;  // without a caller: it was told already
    sdk::Instant deadline;
    sdk::Instant sent_at{};
    std::uint32_t tries = 0;
  };

  using Entries = std::deque<Entry>;

  Client(ServerPtr server, sdk::EventLoop& loop, std::shared_ptr<TlsClient> tls, sdk::Log& log);

  void connect();
  void reconnect_later();
  void take(std::vector<Request> requests);
  void pump();
  void hold(bool leave);
  void go_on();
  void lose_in_flight(const ConnectionEnd& end);
  void put_again_first();
  void fail_all(Entries& entries, const sdk::Error& error);
  void arm();
  void expire();
  void expire_unsent(Entries& entries, sdk::Instant now);
  static void answer(Entry& entry, sdk::Result<Reply> answer);
  std::chrono::nanoseconds next_wait();

  ServerPtr server_;
  sdk::EventLoop& loop_;
  std::shared_ptr<TlsClient> tls_;
  sdk::Log& log_;
  std::shared_ptr<Connection> connection_;
  std::string why_down_;        // empty: it is well
  bool told_down_ = false;      // the log was
  std::uint32_t attempts_ = 0;  // since it was well
  std::mt19937_64 random_;
  Entries waiting_;
  Entries in_flight_;
  Entries again_;  // to be sent before those that wait
  std::size_t bytes_in_flight_ = 0;
  bool holding_ = false;  // the server cannot just now
  bool leaving_ = false;  // and this one will not again
  sdk::TimerId hold_timer_ = 0;
  sdk::TimerId connect_timer_ = 0;
  sdk::TimerId expiry_ = 0;
};

}  // namespace millrace::redis
