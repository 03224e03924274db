// Connection: one client, from its first byte to its last answer. One request at a time; what the
// client sends meanwhile waits. All of it happens on one loop, but for `answer`.
#pragma once

#include "connectors/http/endpoint.hpp"
#include "connectors/http/exchange.hpp"
#include "connectors/http/request_parser.hpp"
#include "connectors/http/stream.hpp"
#include "connectors/http/target.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/reactor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace millrace::http {

class Connection;

/// The connections of a listener. Thread-safe.
class ConnectionSet {
public:
  void add(const std::shared_ptr<Connection>& connection);
  void remove(const Connection* connection);
  std::size_t size() const;

  /// Those without a request end.
  void drain();

private:
  mutable std::mutex mutex_;
  std::unordered_map<const Connection*, std::weak_ptr<Connection>> all_;
};

class Connection final : public StreamUser,
                         public Answerer,
                         public std::enable_shared_from_this<Connection> {
public:
  Connection(std::unique_ptr<Stream> stream, std::shared_ptr<Traffic> traffic,
             std::shared_ptr<ConnectionSet> all, sdk::EventLoop& loop);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  void start();

  /// Ends it now where it has no request, else after the answer.
  void drain();

  // Answerer
  void answer(std::uint64_t exchange, Response response) override;

  // StreamUser
  void on_open(bool ok) override;
  void on_read(std::size_t bytes, ReadEnd end) override;
  void on_written(bool ok) override;

private:
  enum class Phase : std::uint8_t {
    opening,
    idle,  // nothing of a request has come
    head,
    body,
    working,    // the pipeline has it
    writing,    // the answer
    lingering,  // what the client still sends is read and dropped, so that it can read our answer
    closed,
  };

  void begin_request();
  void advance();
  void read();
  void on_end(ReadEnd end);
  bool on_head();
  bool refuse_head(const RequestHead& head, const Target& target);
  void expect_body();
  void dispatch();

  /// Writes an answer of ours, without any pipeline. @param close the connection ends with it.
  void respond(Response response, bool close);
  void write_response(const Response& response);
  void write(std::string bytes);
  void finish_response();
  void linger();
  void close();
  void release_exchange();

  void set_deadline(std::chrono::nanoseconds from_now);
  void arm_timer();
  void on_timer();
  void on_deadline();

  const std::unique_ptr<Stream> stream_;
  const std::shared_ptr<Traffic> traffic_;
  const std::shared_ptr<ConnectionSet> all_;
  sdk::EventLoop& loop_;
  RequestParser parser_;
  std::vector<char> read_buffer_;
  Phase phase_ = Phase::opening;
  bool reading_ = false;
  bool writing_ = false;
  bool peer_closed_ = false;
  bool close_after_ = false;
  bool with_body_ = true;
  bool old_client_ = false;
  std::string out_;      // being written
  std::string waiting_;  // to be written behind it
  std::size_t dropped_ = 0;

  // Of the present request:
  RouteTable::Match match_;
  std::string path_;
  std::vector<std::string> segments_;  // of the path
  std::string query_;
  std::string user_;          // who the guard let pass
  bool zipped_ = false;       // the body
  std::uint64_t number_ = 0;  // of exchanges
  std::shared_ptr<Exchange> exchange_;
  std::shared_ptr<Connection> self_;  // while the pipeline has it: nobody else may hold us then
  PortPtr port_;                      // that waits for our answer to be written

  sdk::Instant deadline_;
  sdk::Instant armed_for_ = sdk::Instant::max();
  sdk::TimerId timer_ = 0;
};

}  // namespace millrace::http
